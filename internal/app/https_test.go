package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
)

// https starts a program with a certificate, and a client that takes it.
func https(t *testing.T, more ...string) (*running, *http.Client) {
	t.Helper()
	cert, key := certificate(t)
	r := start(t, append(more, "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key)...)
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return r, &http.Client{Timeout: patience, Transport: transport}
}

// ask sends a request and gives the answer.
func ask(t *testing.T, client *http.Client, method, url, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// One listener serves the API and polling by HTTP/2, and WebSockets by HTTP/1.1.
func TestHTTP2AndWebSocketsShareAListener(t *testing.T) {
	r, client := https(t)
	t.Run("the API by HTTP/2", func(t *testing.T) {
		res, body := ask(t, client, "GET", r.app.URL()+"/readyz", "")
		if res.ProtoMajor != 2 || res.StatusCode != 200 || !strings.Contains(body, `"certificate":"degraded"`) {
			t.Errorf("%s %d %s", res.Proto, res.StatusCode, body) // it is valid for an hour, and was from the year 1 on
		}
		if res, _ := ask(t, client, "POST", r.app.URL()+"/api/auth/login", "{}"); res.ProtoMajor != 2 || res.StatusCode != 400 {
			t.Errorf("a body: %s %d", res.Proto, res.StatusCode)
		}
	})
	t.Run("polling by HTTP/2, several requests at a time", func(t *testing.T) { checkPolling(t, r, client) })
	t.Run("WebSocket by HTTP/1.1", func(t *testing.T) {
		dialer := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
		c, err := socketiotest.Dial(t.Context(), r.app.URL(), socketiotest.Options{Dialer: &dialer})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if !strings.HasPrefix(c.Opening(), `0{"sid":`) {
			t.Errorf("first packet %s", c.Opening())
		}
	})
	t.Run("a health check", func(t *testing.T) {
		_, port, _ := net.SplitHostPort(r.app.Addr())
		if code, _, stderr := run(t, t.Context(), []string{"healthcheck"}, "HOST=127.0.0.1", "PORT="+port,
			"TLS_CERT_FILE="+r.app.cfg.TLSCertFile, "TLS_KEY_FILE="+r.app.cfg.TLSKeyFile); code != 0 {
			t.Errorf("%d %s", code, stderr)
		}
	})
	t.Run("another certificate when the files change", func(t *testing.T) { checkRenewal(t, r, client) })
}

// checkPolling has a poll held while another request of its connection is answered.
func checkPolling(t *testing.T, r *running, client *http.Client) {
	t.Helper()
	url := r.app.URL() + "/socket.io/?EIO=4&transport=polling"
	res, opening := ask(t, client, "GET", url, "")
	_, sid, _ := strings.Cut(opening, `"sid":"`)
	sid, _, _ = strings.Cut(sid, `"`)
	if res.ProtoMajor != 2 {
		t.Errorf("%s %s", res.Proto, opening)
	}
	held := make(chan string)
	go func() {
		_, text := ask(t, client, "GET", url+"&sid="+sid, "")
		held <- text
	}()
	if res, text := ask(t, client, "POST", url+"&sid="+sid, `40{"token":"none"}`); text != "ok" || res.ProtoMajor != 2 {
		t.Errorf("POST: %s %s", res.Proto, text)
	}
	if text := <-held; !strings.HasPrefix(text, "44{") {
		t.Errorf("the poll got %q", text)
	}
}

// checkRenewal replaces the files: new connections get the new certificate, open ones go on.
func checkRenewal(t *testing.T, r *running, client *http.Client) {
	t.Helper()
	before := r.app.certs.Own()[0]
	cert, key := certificate(t)
	for to, from := range map[string]string{r.app.cfg.TLSCertFile: cert, r.app.cfg.TLSKeyFile: key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) { // it polls
		conn, err := tls.Dial("tcp", r.app.Addr(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		leaf := conn.ConnectionState().PeerCertificates[0]
		_ = conn.Close()
		if !leaf.Equal(before.Leaf) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the old one is served")
		}
	}
	if res, _ := ask(t, client, "GET", r.app.URL()+"/healthz", ""); res.StatusCode != 200 {
		t.Errorf("a connection that was open: %d", res.StatusCode)
	}
}

// A frames is a client of HTTP/2 that sends what it likes.
type frames struct {
	*http2.Framer
	t    *testing.T
	conn *tls.Conn
	head bytes.Buffer
	hpack.Encoder
	settings map[http2.SettingID]uint32 // of the server
}

// dialFrames connects from an address of this machine.
func dialFrames(t *testing.T, r *running, from string) *frames {
	t.Helper()
	dialer := &tls.Dialer{
		NetDialer: &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}},
		Config:    &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}},
	}
	conn, err := dialer.DialContext(t.Context(), "tcp", r.app.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	f := &frames{Framer: http2.NewFramer(conn, conn), t: t, conn: conn.(*tls.Conn), settings: map[http2.SettingID]uint32{}}
	f.Encoder = *hpack.NewEncoder(&f.head)
	if err := f.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	first, err := f.ReadFrame()
	settings, ok := first.(*http2.SettingsFrame)
	if !ok {
		t.Fatalf("%v, %v", first, err)
	}
	_ = settings.ForeachSetting(func(s http2.Setting) error {
		f.settings[s.ID] = s.Val
		return nil
	})
	return f
}

// request sends the head of a request; with a length its body is to follow.
func (f *frames) request(stream uint32, method, path string, length int) error {
	f.head.Reset()
	fields := []string{":method", method, ":scheme", "https", ":authority", "localhost", ":path", path}
	if length > 0 {
		fields = append(fields, "content-type", "application/json", "content-length", strconv.Itoa(length))
	}
	for i := 0; i < len(fields); i += 2 {
		_ = f.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return f.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: f.head.Bytes(), EndHeaders: true, EndStream: length == 0,
	})
}

// posts sends the heads of so many requests whose bodies do not come.
func (f *frames) posts(n int) {
	f.t.Helper()
	for i := range uint32(n) {
		if err := f.request(2*i+1, "POST", "/api/auth/login", 100); err != nil {
			f.t.Fatal(err)
		}
	}
}

// ends reads until so many streams have ended, or the connection. It returns the statuses and
// the error codes by which they ended.
func (f *frames) ends(n int) map[string]int {
	got := make(map[string]int)
	decoder := hpack.NewDecoder(4096, nil)
	for n > 0 {
		frame, err := f.ReadFrame()
		if err != nil {
			got["connection"]++
			return got
		}
		switch frame := frame.(type) {
		case *http2.HeadersFrame:
			fields, _ := decoder.DecodeFull(frame.HeaderBlockFragment())
			got[fields[0].Value]++
			n--
		case *http2.RSTStreamFrame:
			if frame.ErrCode != http2.ErrCodeNo {
				got[frame.ErrCode.String()]++
				n--
			}
		case *http2.GoAwayFrame:
			got["GOAWAY "+frame.ErrCode.String()]++
		}
	}
	return got
}

// eventually waits for what happens in the program without a signal.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// One HTTP/2 connection carries many requests, which count as as many connections do.
func TestRequestsOfHTTP2CountAsConnections(t *testing.T) {
	r, client := https(t, "MAX_TCP_CONNECTIONS=300")
	places := r.app.connections.places
	free := func(t *testing.T) {
		eventually(t, "all places are free", func() bool {
			mine, all := places.Use("127.0.0.1")
			return mine == 0 && all <= 1
		})
	}
	t.Run("no more at a time than are announced", func(t *testing.T) {
		other := otherAddress(t)
		if res, _ := ask(t, other, "GET", r.app.URL()+"/healthz", ""); res.StatusCode != 200 {
			t.Errorf("%d", res.StatusCode)
		}
		f := dialFrames(t, r, "127.0.0.1")
		streams, size := f.settings[http2.SettingMaxConcurrentStreams], f.settings[http2.SettingMaxFrameSize]
		if streams != maxStreams || size > 16<<10 {
			t.Errorf("%d streams are announced, frames of %d bytes", streams, size)
		}
		f.posts(120)
		if got := f.ends(20); got["REFUSED_STREAM"] != 20 {
			t.Errorf("%v", got)
		}
		second := dialFrames(t, r, "127.0.0.1")
		second.posts(100)
		if got := second.ends(50); got["429"] != 50 {
			t.Errorf("over half of all: %v", got)
		}
		if mine, _ := places.Use("127.0.0.1"); mine > 150 {
			t.Errorf("%d places", mine)
		}
		if res, _ := ask(t, other, "GET", r.app.URL()+"/healthz", ""); res.StatusCode != 200 {
			t.Errorf("another address: %d", res.StatusCode)
		}
		_, _ = f.conn.Close(), second.conn.Close()
		free(t)
		if n := strings.Count(r.log.String(), "requests are refused: see MAX_TCP_CONNECTIONS"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
	t.Run("answers that nobody takes", func(t *testing.T) {
		leaveAnswers(t, r)
		free(t)
	})
	t.Run("requests that are reset at once", func(t *testing.T) {
		f := dialFrames(t, r, "127.0.0.1")
		ended := make(chan map[string]int)
		go func() { ended <- f.ends(1 << 20) }()
		for i := range uint32(20_000) {
			if f.request(2*i+1, "GET", "/socket.io/?EIO=4&transport=polling", 0) != nil ||
				f.WriteRSTStream(2*i+1, http2.ErrCodeCancel) != nil {
				break // the server has closed the connection
			}
		}
		_ = f.conn.Close()
		<-ended
		free(t)
		if res, _ := ask(t, client, "GET", r.app.URL()+"/healthz", ""); res.StatusCode != 200 {
			t.Errorf("then %d", res.StatusCode)
		}
	})
}

// leaveAnswers asks for twenty answers on one connection and takes none of their bodies.
func leaveAnswers(t *testing.T, r *running) {
	t.Helper()
	f := dialFrames(t, r, "127.0.0.1")
	if err := f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}); err != nil {
		t.Fatal(err)
	}
	for i := range uint32(20) {
		if err := f.request(2*i+1, "GET", "/healthz", 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.ends(20); got["200"] != 20 { // heads need no window
		t.Errorf("%v", got)
	}
	if mine, _ := r.app.connections.places.Use("127.0.0.1"); mine < 20 {
		t.Errorf("%d places while 20 answers wait", mine)
	}
	_ = f.conn.Close()
}

// otherAddress is a client of another address of this machine.
func otherAddress(t *testing.T) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	transport := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: patience, Transport: transport}
}

// The head of a request that does not end keeps no connection.
func TestAHeadOfHTTP2ThatDoesNotEndIsClosed(t *testing.T) {
	cert, key := certificate(t)
	cfg := settings(t, "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key)
	r := startChanged(t, cfg, func(a *App) { a.http.IdleTimeout = 200 * time.Millisecond })
	f := dialFrames(t, r, "127.0.0.1")
	f.head.Reset()
	_ = f.WriteField(hpack.HeaderField{Name: ":method", Value: "GET"})
	if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: f.head.Bytes()}); err != nil {
		t.Fatal(err)
	}
	if got := f.ends(1); got["connection"] != 1 {
		t.Errorf("%v", got)
	}
}

// Certificates from an authority: the program as it is started for a site.
func TestCertificatesOfAnAuthority(t *testing.T) {
	authority := testneed.NewPebble(t)
	r := start(t, "AUTOCERT_DOMAINS=Money.test,www.money.test", "AUTOCERT_DIRECTORY="+authority.Directory,
		"AUTOCERT_CA_FILE="+authority.CAFile, "PORT="+strconv.Itoa(authority.TLSPort),
		"REDIRECT_ADDR=127.0.0.1:"+strconv.Itoa(authority.HTTPPort))
	roots := authority.Roots(t)
	eventually(t, "it is issued", func() bool { return r.app.certs.Check(t.Context()) == nil })
	for _, name := range []string{"money.test", "www.money.test"} {
		conn, err := tls.Dial("tcp", r.app.Addr(), &tls.Config{RootCAs: roots, ServerName: name})
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	var unknown x509.HostnameError
	if _, err := tls.Dial("tcp", r.app.Addr(), &tls.Config{RootCAs: roots, ServerName: "other.test"}); !errors.As(err, &unknown) {
		t.Errorf("another name: %v", err)
	}
	if code, _, stderr := run(t, t.Context(), []string{"healthcheck"}, "HOST=127.0.0.1",
		"PORT="+strconv.Itoa(authority.TLSPort), "AUTOCERT_DOMAINS=money.test"); code != 0 {
		t.Errorf("healthcheck: %d %s", code, stderr)
	}
	plain := fmt.Sprintf("http://127.0.0.1:%d", authority.HTTPPort)
	noRedirects := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer noRedirects.CloseIdleConnections()
	if res, _ := ask(t, noRedirects, "GET", plain+"/?a=b", ""); res.StatusCode != 301 ||
		res.Header.Get("Location") != "https://money.test/?a=b" || res.Header.Get("Strict-Transport-Security") != "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if res, text := ask(t, noRedirects, "GET", plain+"/api/expenses", ""); res.StatusCode != 403 {
		t.Errorf("the API: %d %s", res.StatusCode, text)
	}
	if res, _ := ask(t, noRedirects, "GET", plain+"/.well-known/acme-challenge/none", ""); res.StatusCode == 301 {
		t.Errorf("a challenge: %d", res.StatusCode)
	}
}

// Where browsers are sent that came by HTTP.
func TestRedirectsToHTTPS(t *testing.T) {
	domains := []string{"money.test", "www.money.test"}
	for _, tt := range []struct {
		domains            []string
		method, host, path string
		want               string // "" is a refusal
	}{
		{domains, "GET", "www.money.test:80", "/page?x=1", "https://www.money.test/page?x=1"},
		{domains, "HEAD", "WWW.money.test", "/", "https://WWW.money.test/"},
		{domains, "GET", "evil.test", "//evil.test/", "https://money.test//evil.test/"},
		{domains, "GET", "money.test@evil.test", "/", "https://money.test/"},
		{nil, "GET", "example.org:3000", "/a%20b", "https://example.org/a%20b"},
		{nil, "GET", "[::1]:3000", "/", "https://[::1]/"},
		{nil, "GET", "[::1]", "/", "https://[::1]/"},
		{domains, "POST", "money.test", "/", ""},
		{domains, "GET", "money.test", "/api/expenses", ""},
		{domains, "GET", "money.test", "/socket.io/?EIO=4", ""},
		{domains, "GET", "money.test", "/money/", "https://money.test/money/"},
		{domains, "GET", "money.test", "/money/api/expenses", ""},
	} {
		r := httptest.NewRequest(tt.method, "http://x"+tt.path, nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		redirectToHTTPS(tt.domains, "/money")(w, r)
		if got := w.Header().Get("Location"); got != tt.want || (got == "") != (w.Code == 403) {
			t.Errorf("%s %s%s: %d %q", tt.method, tt.host, tt.path, w.Code, got)
		}
	}
}

// Several processes are told once to leave certificates to the balancer.
func TestAutocertBesideAnotherProcessIsSaidOnce(t *testing.T) {
	database := "DATABASE_URL=" + storetest.PostgresOptions(t, storetest.PostgresDSN(t)).URL
	a := start(t, database, "AUTOCERT_DOMAINS=money.test", "AUTOCERT_DIRECTORY=https://127.0.0.1:1/dir", "REDIRECT_ADDR=none")
	if strings.Contains(a.log.String(), "is for one process") {
		t.Error("said of one process")
	}
	start(t, database)
	eventually(t, "it is said", func() bool { return strings.Contains(a.log.String(), "AUTOCERT_DOMAINS is for one process") })
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(context.Background(), "tcp", a.app.Addr())
	if err != nil {
		t.Fatal(err) // the authority cannot be reached, and the server serves
	}
	_ = conn.Close()
}
