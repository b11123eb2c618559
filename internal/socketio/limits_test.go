package socketio

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"expenseflow/internal/engineio"
)

// Keys were sorted in an argument that had a binary beside them.
func TestBinaryLeavesTheOrderOfKeysAlone(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		echoing(b.Of("/"))
		w, _ := b.join("/")
		w.received()
		w.send(`51-["message",{"z":1,"a":{"num":0,"_placeholder":true},"m":{"y":2,"b":3}}]`, "<ff>")
		w.expect(`51-["message-back",{"z":1,"a":{"_placeholder":true,"num":0},"m":{"y":2,"b":3}}]`, "<ff>")

		p := b.dial()
		p.sendMsgpack(asMsgpack(t, text(`0`)))
		p.receivedMsgpack()
		p.sendMsgpack(asMsgpack(t, text(`51-["message",{"z":1,"a":{"_placeholder":true,"num":0},"m":2}]`), blob("x")))
		if got := p.receivedMsgpack(); len(got) != 1 || string(got[0].args[0]) != `{"z":1,"a":{"_placeholder":true,"num":0},"m":2}` {
			t.Errorf("told %+v", got)
		}
	})
}

// An application's own object that looks like a placeholder became the attachment
// beside it.
func TestLookAlikesOfPlaceholdersStayWhatTheyAre(t *testing.T) {
	like := map[string]any{"_placeholder": true, "num": 0}
	raw := json.RawMessage(`{"_placeholder":true,"num":0}`)
	p, err := Encode("/", "e", binaryJSON(`$0`, "x"), like, raw,
		binaryJSON(`{"b":$0,"l":{"\u005fplaceholder":true,"num":0}}`, "y"), `"_placeholder"`)
	if err != nil {
		t.Fatal(err)
	}
	in, err := parseMsgpack(p.group(parserMsgpack).Messages()[0].Data, &testLimits)
	if err != nil || len(in.attachments) != 2 || string(in.attachments[0]) != "x" || string(in.attachments[1]) != "y" {
		t.Fatalf("read as %+v, %v", in, err)
	}
	for i, want := range []string{`"eA=="`, string(raw), string(raw), `{"b":"eQ==","l":` + string(raw) + `}`, `"\"_placeholder\""`} {
		var got, same any
		_ = json.Unmarshal(inline(in.args[i], in.attachments), &got)
		_ = json.Unmarshal([]byte(want), &same)
		a, _ := json.Marshal(got)
		if b, _ := json.Marshal(same); string(a) != string(b) {
			t.Errorf("argument %d is %s, want %s", i, a, b)
		}
	}
}

// Nine of ten attachments of a megabyte each were held for ever.
func TestAttachmentsThatDoNotComeEndTheConnection(t *testing.T) {
	const event = `53-["e",{"_placeholder":true,"num":0}]`
	t.Run("in time", func(t *testing.T) {
		withServer(t, Config{PacketTimeout: 5 * time.Second}, func(b *fixture) {
			w, _ := b.join("/")
			w.send(event, "<00>", "<01>")
			time.Sleep(4 * time.Second)
			w.expectOpen()
			w.send("<02>", event, "<00>")
			time.Sleep(4 * time.Second)
			w.expectOpen()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			w.expectClosed(reasonForced)
			if n := w.reserved.Load(); n != 0 {
				t.Errorf("%d bytes are still reserved", n)
			}
		})
	})
	t.Run("together", func(t *testing.T) {
		withServer(t, Config{MaxPacketBytes: 100}, func(b *fixture) {
			w, _ := b.join("/")
			w.send(event, "<"+strings.Repeat("00", 30)+">", "<"+strings.Repeat("00", 60)+">")
			w.expectClosed(reasonForced)
		})
	})
	t.Run("none allowed", func(t *testing.T) {
		withServer(t, Config{MaxAttachments: -1}, func(b *fixture) {
			w, _ := b.join("/")
			w.send(event)
			w.expectClosed(reasonForced)
			p := b.dial()
			p.sendMsgpack(asMsgpack(t, text(`0`)))
			p.sendMsgpack(asMsgpack(t, text(`51-["e",{"_placeholder":true,"num":0}]`), blob("x")))
			p.expectClosed(reasonForced)
		})
	})
	t.Run("no bytes left", func(t *testing.T) {
		withServer(t, Config{Engine: engineio.Config{MaxPayload: 20_000_000}}, func(b *fixture) {
			w, _ := b.join("/")
			w.send(event)
			w.deliver(blob(strings.Repeat("x", 11_000_000)))
			w.expectClosed(reasonForced)
		})
	})
}

// Large events that wait for a handler count, small ones do not.
func TestEventsThatWaitForTheirHandlerAreCounted(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		let := make(chan struct{})
		b.Of("/").On("slow", func(context.Context, *Event) { <-let })
		w, _ := b.join("/")
		w.send(`2["slow","` + strings.Repeat("x", 5000) + `"]`)
		w.send(`2["slow","small"]`)
		synctest.Wait()
		if n := w.reserved.Load(); n < 5000 || n > 5100 {
			t.Errorf("%d bytes are reserved", n)
		}
		close(let)
		synctest.Wait()
		if n := w.reserved.Load(); n != 0 {
			t.Errorf("%d bytes are still reserved", n)
		}
	})
}

// A client with a socket is established; one that has left its last socket is not.
func TestAConnectionIsEstablishedWhileItHasASocket(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		known := func(w *testClient) bool {
			synctest.Wait()
			w.mu.Lock()
			defer w.mu.Unlock()
			return w.known
		}
		w := b.dial()
		if known(w) {
			t.Error("known before CONNECT")
		}
		b.joinOn(w, "/")
		if !known(w) {
			t.Error("not known after CONNECT")
		}
		w.send(`1`)
		if known(w) {
			t.Error("known after DISCONNECT")
		}
	})
}

// A library that hands all arguments on to the application fails on one more.
func TestWhoDeclinesRecoveryGetsNoOffset(t *testing.T) {
	l := newMemoryLog()
	withServer(t, Config{Recovery: l}, func(b *fixture) {
		b.Of("/").Use(l.auth)
		b.Of("/").OnConnect(func(s *Socket) { _ = s.Emit("hello", "there") })
		w := b.dial()
		w.send(`0{"token":"ann","recovery":false,"pid":"e1/ann/0/1","offset":"e1/ann/0"}`)
		sent := w.received()
		if len(sent) != 2 || strings.Contains(sent[0], "pid") || sent[1] != `2["hello","there"]` {
			t.Errorf("sent %q", sent)
		}
		w = b.dial()
		w.send(`0{"token":"ann","recovery":true}`)
		if sent := w.received(); len(sent) != 2 || !strings.Contains(sent[0], `"pid":"`) {
			t.Errorf("sent %q", sent)
		}
	})
}

// Bytes of a client that are no UTF-8 never come out again as they came in.
func TestInvalidBytesOfAnEventAreNeverSentOn(t *testing.T) {
	s, url := serve(t, Config{})
	echoing(s.Of("/"))
	const query = "/socket.io/?EIO=4&transport=polling"
	var opened struct{ SID string }
	if err := json.Unmarshal(download(t, url+query)[1:], &opened); err != nil {
		t.Fatal(err)
	}
	session := url + query + "&sid=" + opened.SID
	for _, body := range []string{"40", "42[\"message\",\"a\xffb\",{\"\xfe\":1}]"} {
		res, err := http.Post(session, "text/plain", strings.NewReader(body))
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("POST: %v %v", res, err)
		}
		_ = res.Body.Close()
	}
	var got string
	for !strings.Contains(got, "message-back") {
		got += string(download(t, session))
	}
	if !utf8.ValidString(got) || !strings.Contains(got, "a\ufffdb") {
		t.Errorf("got %q", got)
	}
	withServer(t, Config{}, func(b *fixture) {
		w, _ := b.join("/")
		w.send("2[\"message\",\"\xff\"]")
		w.expectClosed(reasonForced)
	})
}

// Pages, polling answers and errors could be taken for another type.
func TestEverythingBelowThePathIsMarkedNosniff(t *testing.T) {
	_, url := serve(t, Config{ServeClient: true})
	for _, path := range []string{
		"", "?EIO=4&transport=polling", "socket.io.js", "socket.io.js.map", "nothing", "?EIO=4&transport=polling&sid=x",
	} {
		if h := get(t, url+"/socket.io/"+path, nil).Header; h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %v", path, h)
		}
	}
	res, err := http.Post(url+"/socket.io/?EIO=4&transport=polling&sid=x", "text/plain", strings.NewReader("40"))
	if err != nil || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("POST: %v %v", res, err)
	}
	_ = res.Body.Close()
}

// Clients in Java, C++ and Rust read the id of an event as a 32-bit integer.
func TestIdsOfTheServersEventsFitInThirtyTwoBits(t *testing.T) {
	s := New(Config{})
	s.ackID.Store(3<<31 - 2)
	seen := map[int64]bool{}
	for range 4 {
		id := s.nextAckID()
		if id < 0 || id > 1<<31-1 || seen[id] {
			t.Errorf("id %d", id)
		}
		seen[id] = true
	}
	_ = s.Shutdown(t.Context())
}
