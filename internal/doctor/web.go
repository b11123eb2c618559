package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"expenseflow/middleware"
)

// answerIn bounds each request, and maxAnswer what is read of an answer.
const (
	answerIn  = 10 * time.Second
	maxAnswer = 64 << 10
)

// insecure are connections that check no certificate, which has a check of its own. So
// nothing is sent over them that is worth anything.
var insecure = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // see above

// send sends a request that is not redirected. The caller closes the body.
func (d *doctor) send(ctx context.Context, method, address, body string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if header != nil {
		req.Header = header
	}
	client := &http.Client{
		Timeout:       answerIn,
		Transport:     &http.Transport{TLSClientConfig: insecure, DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client.Do(req)
}

func (d *doctor) get(ctx context.Context, address string, header http.Header) (*http.Response, error) {
	return d.send(ctx, http.MethodGet, address, "", header)
}

// engine returns the address of the socket server for a transport.
func (d *doctor) engine(transport string) *url.URL {
	u := d.URL.JoinPath("/socket.io/")
	u.RawQuery = url.Values{"EIO": {"4"}, "transport": {transport}}.Encode()
	return u
}

// misdirected explains an answer that is not the server's.
func (d *doctor) misdirected(res *http.Response) string {
	if to := res.Header.Get("Location"); to != "" {
		return fmt.Sprintf("it redirects to %s: give --url that address", to)
	}
	base, asked := string(d.Config.BasePath), strings.TrimSuffix(d.URL.Path, "/")
	switch {
	case base != asked && base != "":
		return fmt.Sprintf("BASE_PATH is %s: give --url an address that ends with it, or set it to the path that arrives", base)
	case base != "":
		return fmt.Sprintf("have the proxy leave %s in the path, or leave BASE_PATH empty if it takes that off", base)
	case asked != "":
		return fmt.Sprintf("have the proxy take %s off the path, or set BASE_PATH=%s if it leaves it there", asked, asked)
	}
	return "the way to the server is wrong: docs/deploy has files for nginx, Caddy and HAProxy"
}

// unlessSilent returns a check that asks the public address, if anything answers there. That
// nothing does is reported once.
func (d *doctor) unlessSilent(check func(context.Context) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		if d.silent != nil {
			if *d.silent {
				return skipped("nothing answers at " + d.URL.String())
			}
			return check(ctx)
		}
		res, err := d.get(ctx, d.URL.JoinPath("/healthz").String(), nil)
		silent := err != nil
		d.silent = &silent
		if silent {
			return failed("see whether the address is right and leads to the server", "nothing answers at %s: %s", d.URL, sentence(err))
		}
		res.Body.Close()
		return check(ctx)
	}
}

// polling opens a session by requests, and ends it by one.
func (d *doctor) polling(ctx context.Context) Finding {
	if !slices.Contains(d.Config.Transports, "polling") {
		return skipped("TRANSPORTS has no polling")
	}
	address := d.engine("polling")
	res, err := d.get(ctx, address.String(), nil)
	if err != nil {
		return failed("see whether the address is right and leads to the server", "nothing answers at %s: %s", d.URL, sentence(err))
	}
	sid, res, err := session(res)
	if err != nil {
		return failed(d.misdirected(res), "no socket can be opened at %s: status %d, %v", d.URL, res.StatusCode, err)
	}
	q := address.Query()
	q.Set("sid", sid)
	address.RawQuery = q.Encode()
	const packetClose = "1"
	if res, err = d.send(ctx, http.MethodPost, address.String(), packetClose, nil); err != nil {
		return failed("see whether the proxy passes POST", "a socket opens at %s, and its POST fails: %s", d.URL, sentence(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return failed("see whether the proxy passes POST and the query, and whether ADVERTISE_URL is right with several processes",
			"a socket opens at %s, and its POST is answered with status %d", d.URL, res.StatusCode)
	}
	return ok("a socket opens and closes at %s", d.URL)
}

// session reads the answer that opens a session, and closes it.
func session(res *http.Response) (sid string, closed *http.Response, err error) {
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return "", res, err
	}
	sid, err = openPacket(string(text))
	return sid, res, err
}

var errNoSession = errors.New("and no session in the answer")

// openPacket returns the id in Engine.IO's first packet.
func openPacket(packet string) (sid string, err error) {
	var handshake struct{ SID string }
	document, isOpen := strings.CutPrefix(packet, "0")
	if !isOpen || json.Unmarshal([]byte(document), &handshake) != nil || handshake.SID == "" {
		return "", errNoSession
	}
	return handshake.SID, nil
}

// websocket opens a session by WebSocket.
func (d *doctor) websocket(ctx context.Context) Finding {
	if !slices.Contains(d.Config.Transports, "websocket") {
		return skipped("TRANSPORTS has no websocket")
	}
	address := d.engine("websocket")
	address.Scheme = strings.Replace(address.Scheme, "http", "ws", 1)
	dialer := websocket.Dialer{TLSClientConfig: insecure, HandshakeTimeout: answerIn, Proxy: http.ProxyFromEnvironment}
	conn, res, err := dialer.DialContext(ctx, address.String(), nil)
	const fix = "have the proxy pass upgrades; nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; " +
		"proxy_set_header Connection $connection_upgrade; (docs/deploy/nginx.conf). Until then clients poll"
	switch {
	case err != nil && res != nil:
		return failed(fix, "an upgrade to WebSocket is answered with status %d at %s", res.StatusCode, d.URL)
	case err != nil:
		return failed(fix, "no WebSocket opens at %s: %s", d.URL, sentence(err))
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(answerIn)) // fails only on a connection that a read fails on too
	_, packet, err := conn.ReadMessage()
	if err == nil {
		_, err = openPacket(string(packet))
	}
	if err != nil {
		return failed(fix, "a WebSocket opens at %s and carries nothing: %v", d.URL, err)
	}
	return ok("a WebSocket opens at %s", d.URL)
}

// forgedAddress is one that no client has (RFC 5737). Whoever can make the server believe it
// escapes the limits by address.
const forgedAddress = "192.0.2.77"

// proxy asks the server how a request through the public address arrived.
func (d *doctor) proxy(ctx context.Context) Finding {
	if d.Key == "" {
		return skipped(d.NoKey)
	}
	seen, by, err := d.arrival(ctx, "")
	if err != nil {
		return failed("see that the servers have the JWT_SECRET of this command, and that the address leads to them",
			"the server at %s does not say how requests arrive: %s", d.URL, sentence(err))
	}
	if f, bad := d.judgeProxy(seen, by); bad {
		return f
	}
	if len(seen.ForwardedFor) == 0 {
		return ok("there is none: requests arrive from %s directly", seen.Peer)
	}
	if forged, _, err := d.arrival(ctx, forgedAddress); err != nil || lastHop(forged.ForwardedFor) == forgedAddress {
		return failed("have the proxy replace or append to the header; nginx: proxy_set_header X-Forwarded-For "+
			"$proxy_add_x_forwarded_for;", "clients can choose the address by which they are limited: the proxy at %s passes "+
			"their X-Forwarded-For as it is", seen.Peer)
	}
	return ok("the one at %s passes address, protocol and host; this machine is %s", seen.Peer, seen.Address)
}

// lastHop returns what the nearest proxy wrote into X-Forwarded-For.
func lastHop(forwardedFor []string) string {
	hops := strings.Split(strings.Join(forwardedFor, ","), ",")
	return strings.TrimSpace(hops[len(hops)-1])
}

// judgeProxy returns what is wrong with how a request arrived. by is what the answer says of
// the programs on its way.
func (d *doctor) judgeProxy(seen middleware.Arrived, by string) (f Finding, bad bool) {
	https := d.URL.Scheme == "https"
	proxied := (https && !seen.TLS) || by != "" || len(seen.ForwardedFor) > 0 || (d.Public && seen.Trusted)
	const nginx = "; nginx: proxy_set_header "
	switch {
	case !proxied:
		return f, false
	case len(seen.ForwardedFor) == 0:
		return failed("have it pass X-Forwarded-For"+nginx+"X-Forwarded-For $proxy_add_x_forwarded_for;",
			"the proxy at %s does not name the client, so all visitors count as one address", seen.Peer), true
	case !seen.Trusted:
		return failed("set TRUSTED_PROXIES="+seen.Peer, "the proxy at %s is not trusted, so all visitors count as one address",
			seen.Peer), true
	case seen.HTTPS != https:
		return failed("have it pass X-Forwarded-Proto"+nginx+"X-Forwarded-Proto $scheme;",
			"the proxy at %s does not say that clients use %s", seen.Peer, d.URL.Scheme), true
	case !sameHost(seen.Host, d.URL):
		return failed("have it pass the host"+nginx+"Host $http_host;", "the proxy at %s names the host %s, and browsers %s", seen.Peer,
			seen.Host, d.URL.Host), true
	}
	return f, false
}

// sameHost reports whether a host, with or without a port, is that of u.
func sameHost(host string, u *url.URL) bool {
	name, port := host, ""
	if h, p, err := net.SplitHostPort(host); err == nil {
		name, port = h, p
	}
	standard := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	orStandard := func(p string) string {
		if p == "" {
			return standard
		}
		return p
	}
	return strings.EqualFold(name, u.Hostname()) && orStandard(port) == orStandard(u.Port())
}

// arrival asks how a request arrives, which says that it comes from forwardedFor, "" for
// nothing. by names the programs on the way of the answer.
func (d *doctor) arrival(ctx context.Context, forwardedFor string) (a middleware.Arrived, by string, err error) {
	header := http.Header{middleware.ArrivalHeader: {d.Key}}
	if forwardedFor != "" {
		header.Set("X-Forwarded-For", forwardedFor)
	}
	res, err := d.get(ctx, d.URL.JoinPath("/healthz").String(), header)
	if err != nil {
		return a, "", err
	}
	defer res.Body.Close()
	err = json.NewDecoder(io.LimitReader(res.Body, maxAnswer)).Decode(&a)
	if err != nil || a.Peer == "" {
		err = fmt.Errorf("it answers with status %d and does not know the question", res.StatusCode)
	}
	return a, strings.Join(append(res.Header.Values("Server"), res.Header.Values("Via")...), ", "), err
}

// publicClock reads the clock of the public address.
func (d *doctor) publicClock(ctx context.Context) (reading, bool) {
	if !d.Public {
		return reading{}, false
	}
	began := d.Now()
	res, err := d.get(ctx, d.URL.JoinPath("/healthz").String(), nil)
	if err != nil {
		return reading{}, false
	}
	defer res.Body.Close()
	its, err := http.ParseTime(res.Header.Get("Date"))
	return reading{"the clock of " + d.URL.Host, its, began, d.Now().Sub(began) + time.Second}, err == nil
}

// cors asks as a browser does whether pages of the origins may call.
func (d *doctor) cors(ctx context.Context) Finding {
	if len(d.Origins) == 0 {
		return skipped("FRONTEND_URL is empty: give --origin the address of a page of another site that has to call")
	}
	for _, origin := range d.Origins {
		if f, bad := d.preflight(ctx, origin); bad {
			return f
		}
	}
	return ok("pages of %s may call", strings.Join(d.Origins, ", "))
}

func (d *doctor) preflight(ctx context.Context, origin string) (f Finding, bad bool) {
	header := http.Header{
		"Origin": {origin}, "Access-Control-Request-Method": {http.MethodPost},
		"Access-Control-Request-Headers": {"authorization,content-type"},
	}
	res, err := d.send(ctx, http.MethodOptions, d.URL.JoinPath("/api/expenses").String(), "", header)
	if err != nil {
		return failed("see whether the proxy passes OPTIONS", "no preflight of CORS is answered: %s", sentence(err)), true
	}
	defer res.Body.Close()
	switch allowed := res.Header.Values("Access-Control-Allow-Origin"); {
	case len(allowed) > 1:
		return failed("take Access-Control headers out of the proxy: the server sends them",
			"Access-Control-Allow-Origin comes twice, which browsers refuse: %s", strings.Join(allowed, " and ")), true
	case len(allowed) == 0:
		return failed("add it to FRONTEND_URL and start the server again; if it is there, the proxy takes the header away",
			"pages of %s may not call", origin), true
	case allowed[0] != origin && allowed[0] != "*":
		return failed("take Access-Control headers out of the proxy: the server sends them",
			"pages of %s may not call: the answer allows %s", origin, allowed[0]), true
	}
	return f, false
}
