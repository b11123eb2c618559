package engineio_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/engineio"
)

func TestPollingCarriesPackets(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	tests := []struct{ name, post, get string }{
		{"one text", "4hello", "4hello"},
		{"several texts", "4test1\x1e4test2\x1e4test3", "4test1\x1e4test2\x1e4test3"},
		{"text and binary", "4hello\x1ebAQIDBA==", "4hello\x1ebAQIDBA=="},
		{"empty message", "4", "4"},
		{"not English", "4utf8 — строка 測試 🦄", "4utf8 — строка 測試 🦄"},
		{"packets that mean nothing here", "0x\x1e3\x1e5\x1e6\x1e4after", "4after"},
		{"binary without padding", "bAQI", "bAQI="},
		{"binary in the URL alphabet", "b-_-_", "b+/+/"},
		{"binary with rubbish in it", "bA!Q\nI=ignored", "bAQI="},
		{"invalid UTF-8 is replaced", "4a\xffb", "4a\uFFFDb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			query, _ := h.poll()
			h.post(query, tt.post)
			if got := h.get(query); got != tt.get {
				t.Errorf("got %q, want %q", got, tt.get)
			}
		})
	}
}

func TestPostInChunksArrivesWhole(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	r, w := io.Pipe()
	go func() {
		for _, part := range []string{"4hel", "lo", "\x1e4wor", "ld"} {
			_, _ = io.WriteString(w, part)
		}
		_ = w.Close()
	}()
	req, _ := http.NewRequest("POST", h.base+"?"+query, r)
	res, err := h.client.Do(req)
	if err != nil {
		t.Fatalf("POST: %v", err)
	}
	_ = res.Body.Close()
	want := []string{"hello", "world"}
	if diff := cmp.Diff(want, texts(t, p, 2)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

func TestHeldPollIsAnsweredAtOnce(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	held := h.later("GET", query, "")
	h.eventually("the poll is held", p.HoldsPoll)
	p.send("now")
	if got := receive(t, held, "the answer"); got.Body != "4now" {
		t.Errorf("got %+v", got)
	}
}

func TestSecondPollClosesTheSession(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	first := h.held(query)
	second := h.do("GET", query, "")
	if second.Status != http.StatusBadRequest || second.Body != "" {
		t.Errorf("second: %d %q, want an empty 400", second.Status, second.Body)
	}
	if got := receive(t, first, "the first answer"); got.Status != 200 || got.Body != "1" {
		t.Errorf("first: %d %q, want the close packet", got.Status, got.Body)
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPollOverlap)
	if got := h.do("GET", query, ""); got.Body != `{"code":1,"message":"Session ID unknown"}` {
		t.Errorf("afterwards: %d %q", got.Status, got.Body)
	}
}

func TestSecondPostClosesTheSession(t *testing.T) {
	release := make(chan struct{})
	h := open(t, engineio.Config{}, func(p *peer) { p.onMessage = func(*peer, engineio.Message) { <-release } })
	query, p := h.poll()
	first := h.later("POST", query, "4slow")
	h.eventually("the first POST is served", func() bool { return h.server.Stats().MessagesIn == 1 })
	if got := h.do("POST", query, "4fast"); got.Status != 400 || got.Body != "" {
		t.Errorf("second POST: %d %q, want an empty 400", got.Status, got.Body)
	}
	<-p.Done()
	close(release)
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPostOverlap)
	receive(t, first, "the first answer")
}

func TestBrokenPosts(t *testing.T) {
	tests := []struct {
		name, body, contentType string
		before                  []string // messages that still count
		reason                  engineio.Reason
		cause                   error
	}{
		{"unknown packet type", "abc", "text/plain", []string{}, engineio.ReasonParse, engineio.ErrParse},
		{"empty", "", "text/plain", []string{}, engineio.ReasonParse, engineio.ErrParse},
		{"empty packet between good ones", "4a\x1e\x1e4b", "text/plain", []string{"a"}, engineio.ReasonParse, engineio.ErrParse},
		{
			"a client's ping", "4a\x1e2\x1e4b", "text/plain",
			[]string{"a"},
			engineio.ReasonTransportError,
			engineio.ErrHeartbeatDirection,
		},
		{
			"binary body of protocol 3", "\x01\x02\x03", "application/octet-stream",
			[]string{},
			engineio.ReasonTransportError,
			engineio.ErrPostContent,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{})
			query, p := h.poll()
			got := h.do("POST", query, tt.body, func(r *http.Request) { r.Header.Set("Content-Type", tt.contentType) })
			if got.Status != http.StatusBadRequest {
				t.Errorf("POST: %d %q, want 400", got.Status, got.Body)
			}
			p.mustClose(t, tt.reason, tt.cause)
			if diff := cmp.Diff(tt.before, texts(t, p, len(tt.before))); diff != "" || len(p.messages) > 0 {
				t.Errorf("messages before it (-want +got):\n%s, and %d more", diff, len(p.messages))
			}
			if got := h.do("GET", query, ""); got.Status != 400 {
				t.Errorf("GET afterwards: %d %q", got.Status, got.Body)
			}
		})
	}
}

func TestTooLargePostEndsTheSession(t *testing.T) {
	h := open(t, engineio.Config{MaxPayload: 5}, echoing)
	unknownLength := func(r *http.Request) { r.ContentLength = -1 }
	for _, edit := range []func(*http.Request){func(*http.Request) {}, unknownLength} {
		query, p := h.poll()
		h.post(query, "4aaaa")
		got := h.do("POST", query, "4aaaaa", edit)
		if got.Status != http.StatusRequestEntityTooLarge || got.Body != "" {
			t.Errorf("got %d %q, want an empty 413", got.Status, got.Body)
		}
		p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPostTooLarge)
		if got := h.do("GET", query, ""); got.Status != 400 || !strings.Contains(got.Body, `"code":1`) {
			t.Errorf("afterwards: %d %s", got.Status, got.Body)
		}
	}
}

func TestPollThatTheClientAbandonsClosesTheSession(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	before := h.reached.Load()
	go func() {
		_, err := h.try(ctx, "GET", query, "")
		failed <- err
	}()
	h.eventually("a GET arrived", func() bool { return h.reached.Load() > before })
	cancel()
	if err := receive(t, failed, "the request's end"); err == nil {
		t.Error("the request was answered")
	}
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPollGone)
}

func TestPostThatBreaksOffClosesTheSession(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	c := h.tcp()
	_, _ = fmt.Fprintf(c, "POST /engine.io/?%s HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4half", query)
	_ = c.Close()
	p.mustClose(t, engineio.ReasonTransportError, engineio.ErrPostGone)
}

// The POST that closes a session and the poll beside it use two connections, so they may
// arrive in either order.
func TestGoodbyeReleasesThePollBeforeAndAfter(t *testing.T) {
	h := open(t, engineio.Config{})
	for _, first := range []string{"poll", "goodbye"} {
		t.Run(first+" first", func(t *testing.T) {
			query, p := h.poll()
			var got reply
			if first == "poll" {
				held := h.held(query)
				h.post(query, "1")
				got = receive(t, held, "the released poll")
			} else {
				h.post(query, "4last\x1e1\x1e4ignored")
				got = h.do("GET", query, "")
			}
			if got.Status != 200 || got.Body != "6" {
				t.Errorf("poll: %d %q, want a NOOP", got.Status, got.Body)
			}
			p.mustClose(t, engineio.ReasonTransportClose, nil)
			if got := h.do("GET", query, ""); got.Status != 400 {
				t.Errorf("next poll: %d %q", got.Status, got.Body)
			}
		})
	}
}

func TestCloseOverPollingComesAloneAfterWhatIsQueued(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	p.send("last words")
	p.Close("my reason")
	p.send("too late")
	if got := h.get(query); got != "4last words" {
		t.Errorf("first answer %q", got)
	}
	if got := h.get(query); got != "1" {
		t.Errorf("second answer %q, want the close packet alone", got)
	}
	p.mustClose(t, "my reason", nil)
	if got := h.do("GET", query, ""); got.Status != 400 {
		t.Errorf("afterwards: %d", got.Status)
	}
}

func TestCloseAnswersTheHeldPoll(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	held := h.held(query)
	p.Close(engineio.ReasonForced)
	if got := receive(t, held, "the answer"); got.Body != "1" {
		t.Errorf("got %+v", got)
	}
	p.mustClose(t, engineio.ReasonForced, nil)
}

func TestOneAnswerCarriesAboutSixtyFourKiB(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	part := strings.Repeat("x", 1000)
	for range 200 {
		p.send(part)
	}
	p.send(strings.Repeat("y", 300_000)) // one group goes whole
	var sizes []int
	total := 0
	for total < 200*1001+300_001 {
		body := h.get(query)
		sizes = append(sizes, len(body))
		total += len(strings.ReplaceAll(body, "\x1e", ""))
	}
	for _, n := range sizes[:len(sizes)-1] {
		if n > 64<<10 {
			t.Errorf("an answer of %d bytes, all: %v", n, sizes)
		}
	}
	h.eventually("everything is settled", func() bool { return p.Queued() == 0 })
}

func TestCompressionOfAnswers(t *testing.T) {
	long := "4" + strings.Repeat("compress me ", 100)
	tests := []struct {
		name, accept, text string
		off                bool
		want               string // Content-Encoding
	}{
		{"gzip", "gzip, deflate, br", long, false, "gzip"},
		{"deflate if that is all", "deflate", long, false, "deflate"},
		{"gzip refused by weight", "gzip;q=0, deflate;q=0.5", long, false, "deflate"},
		{"any", "*", long, false, "gzip"},
		{"nothing accepted", "identity", long, false, ""},
		{"no header", "", long, false, ""},
		{"below 1 kB", "gzip", "4short", false, ""},
		{"switched off", "gzip", long, true, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, engineio.Config{NoHTTPCompression: tt.off})
			query, p := h.poll()
			p.Send(group(tt.text[1:]))
			got := h.do("GET", query, "", func(r *http.Request) { r.Header.Set("Accept-Encoding", tt.accept) })
			if enc := got.Header.Get("Content-Encoding"); enc != tt.want {
				t.Errorf("Content-Encoding %q, want %q", enc, tt.want)
			}
			if text := decompress(t, got); text != tt.text {
				t.Errorf("text differs: %.60q", text)
			}
		})
	}
}

func decompress(t *testing.T, got reply) string {
	t.Helper()
	var r io.Reader = strings.NewReader(got.Body)
	var err error
	switch got.Header.Get("Content-Encoding") {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatalf("decompress: %v", err)
	}
	var b bytes.Buffer
	_, _ = b.ReadFrom(r)
	return b.String()
}
