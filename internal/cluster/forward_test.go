package cluster

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/keyring"
)

// A sight is what the owner of a session sees of a request.
type sight struct {
	Process, Method, URI, Host, Client, Scheme, Body string
	Header                                           http.Header
}

// seeing answers with what it sees.
func seeing(process string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		header := http.Header{}
		for _, name := range []string{"Cookie", "X-Hop", "Keep-Alive", "User-Agent", "X-Forwarded-Host"} {
			if v := r.Header.Values(name); len(v) > 0 {
				header[name] = v
			}
		}
		w.Header().Set("Access-Control-Allow-Origin", "https://page.example")
		w.Header().Set("Keep-Alive", "timeout=5")
		_ = json.NewEncoder(w).Encode(sight{
			process, r.Method, r.RequestURI, r.Host, r.RemoteAddr, r.Header.Get("X-Forwarded-Proto"), string(body), header,
		})
	}
}

func TestARequestReachesTheOwnerOfItsSessionAsItWasSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", seeing("b"))
		for _, tt := range []struct{ name, method, body string }{{"poll", "GET", ""}, {"message", "POST", "4hello"}} {
			func() {
				r, _ := http.NewRequest(tt.method, a.url+sidOf(b, "%2F"), strings.NewReader(tt.body))
				r.Host = "money.example"
				r.Header = http.Header{
					"Cookie": {"a=b"}, "Connection": {"X-Hop"}, "X-Hop": {"1"}, "Keep-Alive": {"1"}, "User-Agent": {"page"},
					"X-Forwarded-Proto": {"https, http"}, "X-Forwarded-Host": {"public.example"},
					"Origin": {"https://page.example"},
				}
				res, err := n.client(t).Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				var got sight
				if err := json.NewDecoder(res.Body).Decode(&got); err != nil {
					t.Fatal(err)
				}
				want := sight{
					"b", tt.method, sidOf(b, "%2F"), "money.example", "203.0.113.9:0", "https", tt.body,
					http.Header{"Cookie": {"a=b"}, "User-Agent": {"page"}, "X-Forwarded-Host": {"public.example"}},
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s: the owner sees (-want +got):\n%s", tt.name, diff)
				}
				if res.Header.Get("Access-Control-Allow-Origin") != "https://page.example" || res.Header.Get("Keep-Alive") != "" {
					t.Errorf("the client gets %v", res.Header)
				}
			}()
		}
		if synctest.Wait(); a.taken() != 0 {
			t.Errorf("%d places are still taken", a.taken())
		}
		if b.shared != 2 || b.Stats().Received != 2 || a.Stats().Forwarded != 2 {
			t.Errorf("%d connections were trusted; %+v and %+v", b.shared, a.Stats(), b.Stats())
		}
	})
}

// ask sends a GET and returns its status and text.
func ask(t *testing.T, client *http.Client, url string, headers ...string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequest("GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(body)
}

func TestWhatIsNoForeignSessionStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", seeing("b"))
		dead := join(t, f, Options{URL: "http://10.0.0.3:3000"})
		dead.kill()
		time.Sleep(deadAfter + beatInterval)
		for name, tt := range map[string]struct{ method, uri string }{
			"a handshake":       {"GET", "/socket.io/?EIO=4&transport=polling"},
			"an empty sid":      {"GET", "/socket.io/?sid="},
			"an own session":    {"GET", "/socket.io/?sid=" + a.id + "x"},
			"a short sid":       {"GET", "/socket.io/?sid=" + b.id},
			"an odd sid":        {"GET", "/socket.io/?sid=../../..x" + b.id},
			"an unknown sid":    {"GET", "/socket.io/?sid=ABCDEFGHx"},
			"a dead owner":      {"GET", "/socket.io/?sid=" + dead.id + "x"},
			"the last sid wins": {"GET", "/socket.io/?sid=" + b.id + "x&sid=" + a.id + "x"},
			"a preflight":       {"OPTIONS", sidOf(b, "")},
			"a long query":      {"GET", sidOf(b, strings.Repeat("x", maxQueryBytes))},
		} {
			r, _ := http.NewRequest(tt.method, a.url+tt.uri, nil)
			res, err := n.client(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var got sight
			_ = json.NewDecoder(res.Body).Decode(&got)
			res.Body.Close()
			if got.Process != "a" {
				t.Errorf("%s is served by %q", name, got.Process)
			}
		}
	})
}

// Whoever sends the header of forwards without the secret is a client like any other.
func TestAForgedForwardIsAnOrdinaryRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		var sent string
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", func(w http.ResponseWriter, r *http.Request) {
			if h := r.Header.Get(forwardHeader); h != "" {
				sent = h
			}
			seeing("b")(w, r)
		})
		uri := sidOf(b, "")
		if _, got := ask(t, n.client(t), a.url+uri); !strings.Contains(got, `"Client":"203.0.113.9:0"`) || sent == "" {
			t.Fatalf("a forward: %s, %q", got, sent)
		}
		said := forward{to: b.id, from: a.id, number: 99, client: "127.0.0.1", scheme: "https", host: "bank.example"}
		stranger := said
		stranger.from = "stranger"
		for name, header := range map[string]string{
			"made up":             "1.2.3.4.5.6.7",
			"of another secret":   newKeys(keyring.New([]byte("another"))).sign(said, "GET", uri),
			"of an unknown one":   a.keys.sign(stranger, "GET", uri),
			"replayed":            sent,
			"of another sid":      a.keys.sign(said, "GET", uri+"x"),
			"of another path":     a.keys.sign(said, "GET", strings.Replace(uri, "/socket.io/", "/api/", 1)),
			"of another method":   a.keys.sign(said, "POST", uri),
			"cut off":             a.keys.sign(said, "GET", uri)[:60],
			"replayed much later": sent,
		} {
			if strings.HasSuffix(name, "later") {
				time.Sleep(time.Hour)
			}
			_, got := ask(t, n.client(t), b.url+uri, forwardHeader, header)
			if !strings.Contains(got, `"Client":"203.0.113.9:4711"`) || strings.Contains(got, "bank.example") {
				t.Errorf("%s: the owner sees %s", name, got)
			}
		}
		if _, got := ask(t, n.client(t), b.url+uri, forwardHeader, a.keys.sign(said, "GET", uri),
			forwardHeader, "x"); !strings.Contains(got, clientAddress) {
			t.Errorf("two headers: the owner sees %s", got)
		}
		if got := b.Stats().Forged; got != 10 {
			t.Errorf("%d were counted", got)
		}
		if _, got := ask(t, n.client(t), a.url+uri, forwardHeader, "forged"); !strings.Contains(got, `"Process":"b"`) {
			t.Errorf("a client's header keeps its request from being forwarded: %s", got)
		}
	})
}

// Whoever has recorded a forward must not wait until its process is forgotten.
func TestAForwardIsAcceptedOnceHoweverLongItsProcessIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		var sent string
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", func(_ http.ResponseWriter, r *http.Request) { sent = r.Header.Get(forwardHeader) })
		if ask(t, n.client(t), a.url+sidOf(b, "")); sent == "" {
			t.Fatal("nothing was forwarded")
		}
		time.Sleep(keepSender + time.Minute)
		said, ok := b.keys.verify(sent, "GET", sidOf(b, ""))
		if !ok || b.seen.accept(said.from, said.number, time.Now()) {
			t.Error("the forward is accepted again")
		}
	})
}

// A forward that its owner cannot verify is a request of the forwarding process, for whose
// address everything of it counts: a stranger must not make such ones.
func TestAHostThatIsTooLongToBeSignedIsNotForwarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", seeing("b"))
		for _, length := range []int{255, 1000, 2000, 3000, 6000} {
			r, _ := http.NewRequest("GET", a.url+sidOf(b, ""), nil)
			r.Host = strings.Repeat("h", length)
			res, err := n.client(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var got sight
			_ = json.NewDecoder(res.Body).Decode(&got)
			res.Body.Close()
			if got.Process == "b" && got.Client != "203.0.113.9:0" || got.Process == "a" && length <= 255 {
				t.Errorf("a host of %d bytes: process %s sees the client %s", length, got.Process, got.Client)
			}
		}
		if b.Stats().Forged != 0 {
			t.Errorf("%d forwards were not believed", b.Stats().Forged)
		}
	})
}

// An address that leads to another process, such as a balancer's, must not send requests
// in circles.
func TestAForwardIsNeverForwardedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		c := serve(t, n, f, "10.0.0.3:3000", seeing("c"))
		wrong := join(t, f, Options{URL: "http://10.0.0.3:3000"})
		b := &node{process: wrong, url: "http://10.0.0.3:3000"}
		for range 2 {
			if status, got := ask(t, n.client(t), a.url+sidOf(b, "")); status != 503 || got != textMisdirected {
				t.Errorf("%d %s", status, got)
			}
		}
		if n := c.log.count("leads to another one: set ADVERTISE_URL"); n != 1 {
			t.Errorf("logged %d times", n)
		}
		if c.Stats().Forwarded != 0 {
			t.Error("it was forwarded again")
		}
	})
}

func TestAnOwnerThatIsSilentIsA503(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		frozen := &node{process: join(t, f, Options{URL: "http://10.0.0.2:3000"})}
		ln := n.listen("10.0.0.2:3000")
		defer ln.Close()
		go func() { // its kernel accepts connections, and nobody reads them
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				go func() { _, _ = io.Copy(io.Discard, conn) }()
			}
		}()
		unplugged := &node{process: join(t, f, Options{URL: "http://10.0.0.3:9"})}
		closed := &node{process: join(t, f, Options{URL: "http://10.0.0.4:3000"})}
		for _, tt := range []struct {
			name  string
			owner *node
			after time.Duration
		}{{"frozen", frozen, ownerTimeout}, {"unplugged", unplugged, ownerTimeout}, {"closed", closed, 0}} {
			for _, upgrade := range []string{"", "websocket"} {
				a.known(tt.owner.id) // it is known, or looking it up would take time
				a.peer(t.Context(), tt.owner.id)
				began := time.Now()
				status, got := ask(t, n.client(t), a.url+sidOf(tt.owner, ""), "Connection", "Upgrade", "Upgrade", upgrade)
				if status != 503 || got != textUnreachable || time.Since(began) != tt.after {
					t.Errorf("%s %s: %d %s after %v", tt.name, upgrade, status, got, time.Since(began))
				}
			}
		}
		if synctest.Wait(); a.taken() != 0 {
			t.Errorf("%d places are still taken", a.taken())
		}
	})
}

// holding holds each request until release is closed or the request is cancelled, and says
// which on the channel.
func holding(release <-chan struct{}, ended chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			_, _ = w.Write([]byte("4late"))
			ended <- "answered"
		case <-r.Context().Done():
			ended <- "cancelled"
		}
	}
}

func TestAPollIsHeldAsLongAsItsOwnerHoldsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		release, ended := make(chan struct{}), make(chan string, 9)
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", holding(release, ended))
		time.AfterFunc(40*time.Second, func() { close(release) })
		if status, got := ask(t, n.client(t), a.url+sidOf(b, "")); status != 200 || got != "4late" {
			t.Errorf("%d %s", status, got)
		}
	})
}

func TestAPollEndsWithItsClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		ended := make(chan string, 9)
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", holding(nil, ended))
		client := n.client(t)
		client.Timeout = 8 * time.Second
		if status, _ := ask(t, client, a.url+sidOf(b, "")); status != 0 {
			t.Errorf("status %d", status)
		}
		synctest.Wait()
		if got := <-ended; got != "cancelled" || a.taken() != 0 {
			t.Errorf("at the owner it is %s; %d places are taken", got, a.taken())
		}
		if n := a.Stats().Failed; n != 0 { // operators would look for what is wrong with the owner
			t.Errorf("%d forwards failed", n)
		}
	})
}

func TestAPollEndsWithItsOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", holding(nil, make(chan string, 9)))
		time.AfterFunc(beatInterval, b.kill) // its connections stay open: the machine was unplugged
		if status, got := ask(t, n.client(t), a.url+sidOf(b, "")); status != 503 || got != textUnreachable {
			t.Errorf("%d %s", status, got)
		}
	})
}

func TestAPollEndsWithItsForwarder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", holding(nil, make(chan string, 9)))
		time.AfterFunc(time.Second, func() { _ = a.StopForwarding(t.Context()) })
		for range 2 {
			if status, _ := ask(t, n.client(t), a.url+sidOf(b, "")); status != 503 {
				t.Errorf("status %d", status)
			}
		}
	})
}

// The library would repeat a GET of which it has seen no answer, on a connection that was
// used before. Its packets may be gone then, and the client would not notice.
func TestARequestIsNeverForwardedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := &node{process: join(t, f, Options{URL: "http://10.0.0.2:3000"})}
		polls := make(chan string, 9)
		ln := n.listen("10.0.0.2:3000")
		defer ln.Close()
		go answerOnce(ln, polls)
		a.peer(t.Context(), b.id)
		if status, _ := ask(t, n.client(t), a.url+sidOf(b, "")); status != 200 {
			t.Errorf("status %d", status)
		}
		synctest.Wait() // the connection is free for the next one
		if status, _ := ask(t, n.client(t), a.url+sidOf(b, "")); status != 503 {
			t.Errorf("status %d", status)
		}
		if got := len(polls); got != 2 {
			t.Errorf("the owner got %d polls", got)
		}
	})
}

// answerOnce answers the first poll and breaks off at those after it.
func answerOnce(ln net.Listener, polls chan<- string) {
	var answered atomic.Bool
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			in := bufio.NewReader(conn)
			for {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if r.RequestURI == probeURI {
					return
				}
				polls <- r.RequestURI
				if answered.Swap(true) {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n6")
			}
		}()
	}
}

func TestLargeBodiesAreNotForwarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		var seen int64
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", func(w http.ResponseWriter, r *http.Request) { // as engineio does
			seen = r.ContentLength
			if seen < 0 {
				seen, _ = io.Copy(io.Discard, r.Body)
			}
			if seen > 1000 {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		})
		for _, tt := range []struct {
			name string
			body io.Reader
			seen int64
		}{
			{"announced", strings.NewReader(strings.Repeat("x", 1<<20)), 1 << 20},
			{"in chunks", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20))), 1001},
		} {
			res, err := n.client(t).Post(a.url+sidOf(b, ""), "text/plain", tt.body)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			res.Body.Close()
			if res.StatusCode != 413 || seen != tt.seen || !res.Close {
				t.Errorf("%s: status %d, of %d bytes, and the connection closes: %v", tt.name, res.StatusCode, seen, res.Close)
			}
		}
		res, err := n.client(t).Post(a.url+sidOf(b, ""), "text/plain", strings.NewReader(strings.Repeat("x", 1000)))
		if err != nil || res.StatusCode != 200 || res.Close {
			t.Errorf("a body that is large enough: %+v, %v", res, err)
		}
	})
}

func TestAnAnswerThatBreaksOffIsNotComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("4half"))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		})
		if status, got := ask(t, n.client(t), a.url+sidOf(b, "")); status != 0 {
			t.Errorf("%d %s", status, got)
		}
	})
}

func TestAClientHasABoundedShareOfForwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		release, ended := make(chan struct{}), make(chan string, 9)
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", holding(release, ended))
		answers := make(chan string, 9)
		for range maxPlaces {
			go func() {
				status, text := ask(t, n.client(t), a.url+sidOf(b, ""))
				answers <- fmt.Sprint(status, " ", text)
			}()
		}
		time.Sleep(time.Second)
		if status, got := ask(t, n.client(t), a.url+sidOf(b, "")); status != 503 || got != textTooMany {
			t.Errorf("%d %s", status, got)
		}
		close(release)
		for range maxPlaces {
			if got := <-answers; got != "200 4late" {
				t.Error(got)
			}
		}
		if synctest.Wait(); a.Stats().Refused != 1 || a.taken() != 0 {
			t.Errorf("%+v", a.Stats())
		}
	})
}

func TestAnAddressThatNobodyReachesIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		b := serve(t, n, f, "10.0.0.2:3000", seeing("b"))
		lost := &node{process: join(t, f, Options{URL: "http://10.0.0.9:9"})}
		elsewhere := &node{process: join(t, f, Options{URL: "http://10.0.0.2:3000"})}
		time.Sleep(time.Minute)
		for _, p := range []*node{lost, elsewhere} {
			if got := a.log.count("until they come to it directly; set its ADVERTISE_URL " +
				`to an address that this process reaches" process=` + p.id); got != 1 {
				t.Errorf("%s was logged %d times", p.id, got)
			}
		}
		if err := a.CheckReachable(t.Context()); err == nil || a.Stats().Unreachable != 2 {
			t.Errorf("CheckReachable: %v, %+v", err, a.Stats())
		}
		began := time.Now()
		if status, _ := ask(t, n.client(t), a.url+sidOf(lost, "")); status != 503 || time.Since(began) != 0 {
			t.Errorf("status %d after %v", status, time.Since(began))
		}
		if _, got := ask(t, n.client(t), a.url+sidOf(b, "")); !strings.Contains(got, `"Process":"b"`) {
			t.Errorf("b: %s", got)
		}

		probes := n.dialled("10.0.0.1:3000")
		time.Sleep(time.Minute)
		if !b.known(a.id).is(reached) || !a.known(b.id).is(reached) || n.dialled("10.0.0.1:3000") != probes {
			t.Error("a process that was reached is probed again")
		}
	})
}

func TestAProcessThatBecomesReachableIsForwardedToAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, f := newNetwork(), newFakeTable()
		a := serve(t, n, f, "10.0.0.1:3000", seeing("a"))
		late := &node{process: join(t, f, Options{URL: "http://10.0.0.2:3000"}), places: make(map[string]int)}
		time.Sleep(time.Minute)
		if status, _ := ask(t, n.client(t), a.url+sidOf(late, "")); status != 503 {
			t.Errorf("status %d", status)
		}
		late.serveOn(t, n.listen("10.0.0.2:3000"), seeing("late"))
		time.Sleep(2 * beatInterval)
		if _, got := ask(t, n.client(t), a.url+sidOf(late, "")); !strings.Contains(got, `"Process":"late"`) {
			t.Error(got)
		}
		if a.log.count("can be reached again") != 1 || a.CheckReachable(t.Context()) != nil {
			t.Error("it is not said that it is reached")
		}
	})
}
