package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

// echoing is the official suite's server.
func echoing(n *Namespace) {
	n.On("message", func(_ context.Context, e *Event) { _ = e.Socket().Emit("message-back", e.Values()...) })
	n.On("message-with-ack", func(_ context.Context, e *Event) { _ = e.Ack(e.Values()...) })
}

func TestEventsAndAcksCarryTheirArguments(t *testing.T) {
	tests := []struct {
		name      string
		say, want []string
	}{
		{"text", []string{`2["message",1,"2",{"3":[true]}]`}, []string{`2["message-back",1,"2",{"3":[true]}]`}},
		{
			"binary",
			[]string{`52-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`},
			[]string{`52-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`},
		},
		{
			"binary in another order",
			[]string{`52-["message",[{"_placeholder":true,"num":1}],{"a":{"_placeholder":true,"num":0}}]`, `<01>`, `<02>`},
			[]string{`52-["message-back",[{"_placeholder":true,"num":0}],{"a":{"_placeholder":true,"num":1}}]`, `<02>`, `<01>`},
		},
		{"ack", []string{`2456["message-with-ack",1,"2",{"3":[false]}]`}, []string{`3456[1,"2",{"3":[false]}]`}},
		{
			"binary ack",
			[]string{`52-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`},
			[]string{`62-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`, `<010203>`, `<040506>`},
		},
		{"empty ack", []string{`20["message-with-ack"]`}, []string{`30[]`}},
		{
			"numbers keep their digits",
			[]string{`2["message",12345678901234567890,1.10]`},
			[]string{`2["message-back",12345678901234567890,1.10]`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				echoing(b.Of("/"))
				w, _ := b.join("/")
				w.send(tt.say...)
				w.expect(tt.want...)
			})
		})
	}
}

func TestOneConnectionServesSeveralNamespaces(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		echoing(b.Of("/"))
		b.Of("/custom").OnConnect(sendAuthBack)
		w, _ := b.join("/")
		b.joinOn(w, "/custom")
		w.send(`1/custom`, `2["message","to main"]`)
		w.expect(`2["message-back","to main"]`)
		if b.Of("/custom").len() != 0 || b.Of("/").len() != 1 {
			t.Error("the wrong socket was disconnected")
		}
		b.joinOn(w, "/custom") // it may come back
		w.send(`1`)
		w.expectOpen()
	})
}

func TestEventIsAnsweredOnce(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		var errs []error
		b.Of("/").On("ask", func(_ context.Context, e *Event) {
			errs = append(errs, e.Ack(make(chan int)), e.Ack("yes"), e.Ack("again"))
		})
		w, _ := b.join("/")
		w.send(`21["ask"]`)
		w.expect(`31["yes"]`)
		if len(errs) != 3 || errs[0] == nil || errs[1] != nil || !errors.Is(errs[2], ErrAcked) {
			t.Errorf("errors %v", errs)
		}
		w.send(`2["ask"]`)
		w.expect()
		if !errors.Is(errs[4], ErrNoAck) {
			t.Errorf("error %v", errs[4])
		}
	})
}

func TestEventsRunOneAtATimeInOrder(t *testing.T) {
	withServer(t, Config{MaxInbox: 1000}, func(b *fixture) {
		var order []int
		running := 0
		b.Of("/").On("n", func(_ context.Context, e *Event) {
			if running++; running > 1 {
				t.Error("two at a time")
			}
			var n int
			_ = e.Decode(0, &n)
			time.Sleep(time.Duration(100-n) * time.Millisecond)
			order = append(order, n)
			running--
		})
		w, _ := b.join("/")
		for n := range 100 {
			w.send(fmt.Sprintf(`2["n",%d]`, n))
		}
		pass(time.Minute)
		for n := range 100 {
			if order[n] != n {
				t.Fatalf("order %v", order)
			}
		}
	})
}

func TestEventsWaitForOnConnect(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").OnConnect(func(s *Socket) {
			time.Sleep(time.Second)
			s.On("hi", func(context.Context, *Event) { _ = s.Emit("hello") })
		})
		w := b.dial()
		w.send(`0`)
		w.received()
		w.send(`2["hi"]`)
		w.expect()
		pass(time.Second)
		w.expect(`2["hello"]`)
	})
}

func TestAckIsTakenWhileAHandlerRuns(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").On("start", func(ctx context.Context, e *Event) {
			answer, err := e.Socket().EmitAck(ctx, "question")
			if err != nil {
				t.Error(err)
			}
			_ = e.Socket().Emit("done", answer[0])
		})
		w, _ := b.join("/")
		w.send(`2["start"]`)
		asked := w.received()
		id, _ := strings.CutSuffix(strings.TrimPrefix(asked[0], "2"), `["question"]`)
		w.send(`3` + id + `["answer"]`)
		w.expect(`2["done","answer"]`)
	})
}

func TestFullInboxStopsTheReader(t *testing.T) {
	withServer(t, Config{MaxInbox: 3}, func(b *fixture) {
		release := make(chan struct{})
		handled := 0
		b.Of("/").On("e", func(context.Context, *Event) { <-release; handled++ })
		w, _ := b.join("/")
		read := 0
		go func() {
			for range 10 {
				w.send(`2["e"]`)
				read++
			}
		}()
		synctest.Wait()
		if read != 4 { // one at work, three waiting
			t.Errorf("%d events were read, want 4", read)
		}
		close(release)
		synctest.Wait()
		if read != 10 || handled != 10 {
			t.Errorf("%d read, %d handled, want 10", read, handled)
		}
	})
}

func TestBigEventsStopTheReaderSooner(t *testing.T) {
	withServer(t, Config{Engine: engineio.Config{MaxPayload: 1000}}, func(b *fixture) {
		release := make(chan struct{})
		b.Of("/").On("e", func(context.Context, *Event) { <-release })
		w, _ := b.join("/")
		read := 0
		go func() {
			for range 5 {
				w.send(`2["e","` + strings.Repeat("x", 600) + `"]`)
				read++
			}
		}()
		synctest.Wait()
		if read != 2 { // one at work, one waiting
			t.Errorf("%d events were read, want 2", read)
		}
		w.drop() // must not wait for ever
		synctest.Wait()
		close(release)
	})
}

func TestPanickingHandlerCostsItsEventOnly(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		echoing(b.Of("/"))
		b.Of("/").On("message", func(context.Context, *Event) { panic("x") })
		b.Of("/").On("message", func(_ context.Context, e *Event) { _ = e.Socket().Emit("second") })
		w, _ := b.join("/")
		w.send(`2["message"]`, `21["message-with-ack"]`)
		w.expect(`2["message-back"]`, `2["second"]`, `31[]`)
		w.expectOpen()
	})
}

func TestPanickingOnConnectClosesTheTransport(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").OnConnect(func(*Socket) { panic("x") })
		w := b.dial()
		w.send(`0`)
		w.expectClosed(reasonForced)
	})
}

func TestCatchAllRunsBeforeTheHandlersOfAnEvent(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		var in []string
		b.Of("/").OnAny(func(_ context.Context, e *Event) { in = append(in, "all "+e.Name) })
		b.Of("/").On("a", func(_ context.Context, e *Event) { in = append(in, "handler "+e.Name) })
		b.Of("/").OnConnect(func(s *Socket) {
			s.On("a", func(_ context.Context, e *Event) { in = append(in, "own "+e.Name) })
		})
		w, _ := b.join("/")
		w.send(`2["a"]`, `2["unknown"]`)
		synctest.Wait()
		if want := []string{"all a", "handler a", "own a", "all unknown"}; !reflect.DeepEqual(in, want) {
			t.Errorf("ran %q, want %q", in, want)
		}
	})
}

func mustEncode(t *testing.T, nsp, event string, args ...any) *Packet {
	t.Helper()
	p, err := Encode(nsp, event, args...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ackID is the id of an event that the server sent.
func ackID(t *testing.T, packet, payload string) string {
	t.Helper()
	id, ok := strings.CutSuffix(strings.TrimPrefix(packet, "2"), payload)
	if !ok || id == "" {
		t.Fatalf("%q asks for nothing", packet)
	}
	return id
}

// ask calls EmitAck with a timeout and gives its result later.
func ask(ctx context.Context, s *Socket, timeout time.Duration) chan string {
	result := make(chan string, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		answer, err := s.EmitAck(ctx, "q", "a")
		result <- fmt.Sprintf("%s %v", answer, err)
	}()
	return result
}

func TestEmitAckWaitsForTheAnswer(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w, s := b.join("/")
		result := ask(b.t.Context(), s, time.Minute)
		id := ackID(t, w.received()[0], `["q","a"]`)
		w.send(`3`+id+`["yes",2]`, `3`+id+`["twice"]`, `31234[]`)
		if got := <-result; got != `["yes" 2] <nil>` {
			t.Errorf("got %s", got)
		}
		w.expectOpen()
	})
}

func TestEmitAckGivesBinaryInBase64(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w, s := b.join("/")
		result := make(chan []byte, 1)
		go func() {
			answer, err := s.EmitAck(b.t.Context(), "q", "a")
			var bin []byte
			if err == nil {
				err = json.Unmarshal(answer[0], &bin)
			}
			if err != nil {
				t.Error(err)
			}
			result <- bin
		}()
		id := ackID(t, w.received()[0], `["q","a"]`)
		w.send(`61-`+id+`[{"_placeholder":true,"num":0}]`, `<c0ffee>`)
		if got := <-result; fmt.Sprintf("%x", got) != "c0ffee" {
			t.Errorf("got %x", got)
		}
	})
}

func TestEmitAckGivesUp(t *testing.T) {
	tests := []struct {
		name  string
		wait  time.Duration
		then  func(w *testClient, s *Socket)
		want  error
		after time.Duration
	}{
		{"by the context", time.Second, func(*testClient, *Socket) {}, context.DeadlineExceeded, time.Second},
		{"when the client goes", time.Minute, func(w *testClient, _ *Socket) { w.drop() }, ErrDisconnected, 0},
		{"when the client leaves the namespace", time.Minute, func(w *testClient, _ *Socket) { w.send(`1`) }, ErrDisconnected, 0},
		{"when the server ends the socket", time.Minute, func(_ *testClient, s *Socket) { s.Disconnect(false) }, ErrDisconnected, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				w, s := b.join("/")
				start := time.Now()
				go func() { synctest.Wait(); tt.then(w, s) }()
				ctx, cancel := context.WithTimeout(b.t.Context(), tt.wait)
				defer cancel()
				_, err := s.EmitAck(ctx, "q")
				if !errors.Is(err, tt.want) || time.Since(start) != tt.after {
					t.Errorf("error %v after %v", err, time.Since(start))
				}
				if s.acks != nil {
					t.Error("the answer is still waited for")
				}
			})
		})
	}
}

func TestPendingAcksAreBounded(t *testing.T) {
	withServer(t, Config{MaxPendingAcks: 2}, func(b *fixture) {
		_, s := b.join("/")
		for range 2 {
			ask(b.t.Context(), s, time.Second)
		}
		synctest.Wait()
		if _, err := s.EmitAck(b.t.Context(), "q"); !errors.Is(err, ErrTooManyAcks) {
			t.Errorf("error %v", err)
		}
		pass(2 * time.Second)
		ctx, cancel := context.WithTimeout(b.t.Context(), time.Second)
		defer cancel()
		if _, err := s.EmitAck(ctx, "q"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// TestLateAckOfAnOlderConnectionMatchesNothing replays what happens when a client
// reconnects between a question and its answer: it sends the old id.
func TestLateAckOfAnOlderConnectionMatchesNothing(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w1, s1 := b.join("/")
		first := ask(b.t.Context(), s1, time.Minute)
		old := ackID(t, w1.received()[0], `["q","a"]`)
		w1.drop()
		<-first
		w2, s2 := b.join("/")
		second := ask(b.t.Context(), s2, time.Second)
		fresh := ackID(t, w2.received()[0], `["q","a"]`)
		w2.send(`3` + old + `["for the old one"]`)
		w2.send(`3` + fresh + `["for the new one"]`)
		if got := <-second; got != `["for the new one"] <nil>` || old == fresh {
			t.Errorf("got %s; ids %s and %s", got, old, fresh)
		}
	})
	a, b := New(Config{}), New(Config{})
	if a.nextAckID() == b.nextAckID() {
		t.Error("two processes begin with the same id")
	}
	for _, s := range []*Server{a, b} {
		s.ackID.Store(maxAckID - 1)
		for range 3 {
			if id := s.nextAckID(); id < 0 || id > 1<<31-1 {
				t.Errorf("id %d is no safe integer", id)
			}
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// recordEnds appends to ends why each socket of n was disconnected, and in how many rooms
// it was then. It had joined one.
func recordEnds(n *Namespace, ends *[]string) {
	n.OnConnect(func(s *Socket) {
		_ = s.Join("room")
		s.OnDisconnect(func(reason string) {
			*ends = append(*ends, fmt.Sprintf("%s, %d rooms", reason, len(s.Rooms())))
		})
	})
}

func TestDisconnectReasonsAreNodes(t *testing.T) {
	tests := []struct {
		name     string
		do       func(w *testClient, s *Socket)
		received []string
		reason   string
	}{
		{"client leaves the namespace", func(w *testClient, _ *Socket) { w.send(`1`) }, nil, "client namespace disconnect"},
		{
			"server ends the socket", func(_ *testClient, s *Socket) { s.Disconnect(false) },
			[]string{`1`},
			"server namespace disconnect",
		},
		{
			"server ends the connection", func(_ *testClient, s *Socket) { s.Disconnect(true) },
			[]string{`1`},
			"server namespace disconnect",
		},
		{"server closes the transport", func(_ *testClient, s *Socket) { s.CloseTransport() }, nil, "forced close"},
		{"client closes", func(w *testClient, _ *Socket) { w.drop() }, nil, "transport close"},
		{"no pong", func(w *testClient, _ *Socket) { w.Close(engineio.ReasonPingTimeout) }, nil, "ping timeout"},
		{"malformed packet", func(w *testClient, _ *Socket) { w.send(`x`) }, nil, "forced close"},
		{"packet out of place", func(w *testClient, _ *Socket) { w.send(`0`) }, nil, "forced server close"},
		{"slow client", func(w *testClient, _ *Socket) { w.Close(engineio.ReasonSlow) }, nil, "slow"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				var ends []string
				recordEnds(b.Of("/"), &ends)
				w, s := b.join("/")
				tt.do(w, s)
				w.expect(tt.received...)
				if want := []string{tt.reason + ", 0 rooms"}; !reflect.DeepEqual(ends, want) {
					t.Errorf("ended with %q, want %q", ends, want)
				}
				if s.Connected() || !errors.Is(s.Emit("x"), ErrDisconnected) || s.TrySend(mustEncode(t, "/", "x")) {
					t.Error("the socket is still in use")
				}
				if b.Of("/").len() != 0 || len(b.Of("/").roomNames()) != 0 {
					t.Error("a ghost is left")
				}
				s.Disconnect(true) // again, harmlessly
				_ = s.Join("late")
				if len(b.Of("/").roomNames()) != 0 {
					t.Error("a ghost joined a room")
				}
			})
		})
	}
}

func TestDisconnectWithCloseEndsEveryNamespace(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/b")
		w, s := b.join("/")
		other := b.joinOn(w, "/b")
		s.Disconnect(true)
		w.expect(`1`, `1/b,`)
		w.expectClosed(reasonForcedServer)
		if other.Connected() {
			t.Error("the other socket is still connected")
		}
	})
}

func TestShutdownSaysNoGoodbye(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		var ends []string
		recordEnds(b.Of("/"), &ends)
		w, _ := b.join("/")
		b.stopping.Store(true)
		w.Close(engineio.ReasonForced) // what the engine's Shutdown does
		w.expect()
		if want := []string{"server shutting down, 0 rooms"}; !reflect.DeepEqual(ends, want) {
			t.Errorf("ended with %q, want %q", ends, want)
		}
	})
}

// slowly handles events that last a second each, and notes whether their context
// lived on.
func slowly(n *Namespace, log *[]string) {
	n.On("e", func(ctx context.Context, e *Event) {
		time.Sleep(time.Second)
		*log = append(*log, fmt.Sprint(ctx.Err() == nil))
	})
	n.OnConnect(func(s *Socket) { s.OnDisconnect(func(string) { *log = append(*log, "gone") }) })
}

func TestEventsBeforeTheEndAreHandled(t *testing.T) {
	for name, leave := range map[string]func(*testClient){
		"disconnect":      func(w *testClient) { w.send(`1`) },
		"transport close": func(w *testClient) { w.drop() },
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				var log []string
				slowly(b.Of("/"), &log)
				w, _ := b.join("/")
				w.send(`2["e"]`, `2["e"]`, `2["e"]`)
				leave(w)
				pass(10 * time.Second)
				if want := []string{"true", "true", "true", "gone"}; !reflect.DeepEqual(log, want) {
					t.Errorf("log %q, want %q", log, want)
				}
			})
		})
	}
}

func TestContextsEndAfterTheGrace(t *testing.T) {
	withServer(t, Config{HandlerGrace: 1500 * time.Millisecond}, func(b *fixture) {
		var log []string
		slowly(b.Of("/"), &log)
		w, _ := b.join("/")
		w.send(`2["e"]`, `2["e"]`, `2["e"]`)
		w.drop()
		pass(10 * time.Second)
		if want := []string{"true", "false", "false", "gone"}; !reflect.DeepEqual(log, want) {
			t.Errorf("log %q, want %q", log, want)
		}
	})
}

func TestHandlerThatWaitsForTheEndIsReleased(t *testing.T) {
	for name, leave := range map[string]func(*testClient){
		"disconnect":      func(w *testClient) { w.send(`1`) },
		"transport close": func(w *testClient) { w.drop() },
	} {
		t.Run(name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				released := time.Duration(0)
				start := time.Now()
				b.Of("/").On("wait", func(ctx context.Context, _ *Event) { <-ctx.Done(); released = time.Since(start) })
				w, _ := b.join("/")
				w.send(`2["wait"]`)
				leave(w)
				pass(time.Minute)
				if released != 5*time.Second || b.Of("/").len() != 0 {
					t.Errorf("released after %v, want 5 s", released)
				}
			})
		})
	}
}

func TestNothingIsHandledAfterTheServerEndedTheSocket(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		var log []string
		slowly(b.Of("/"), &log)
		w, s := b.join("/")
		w.send(`2["e"]`, `2["e"]`)
		synctest.Wait()
		s.Disconnect(false)
		pass(10 * time.Second)
		if want := []string{"false", "gone"}; !reflect.DeepEqual(log, want) {
			t.Errorf("log %q, want %q", log, want)
		}
	})
}

func TestDataStaysWithTheSocket(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		b.Of("/").Use(func(_ context.Context, s *Socket) error { s.SetData("user"); return nil })
		_, s := b.join("/")
		if s.Data() != "user" || s.Namespace() != b.Of("/") {
			t.Errorf("data %v", s.Data())
		}
	})
}

func TestRefusedTrySendComesBackByOnDrain(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		drained := 0
		b.Of("/").OnConnect(func(s *Socket) { s.OnDrain(func() { drained++ }) })
		w, s := b.join("/")
		w.limit = w.queuedBytes() + 1
		p := mustEncode(t, "/", "feed", strings.Repeat("x", 1000))
		if !s.TrySend(p) || s.TrySend(p) || drained != 0 {
			t.Error("the queue has the wrong size")
		}
		w.drain()
		if drained != 1 || !s.TrySend(p) {
			t.Errorf("drained %d times", drained)
		}
	})
}

func TestPacketOfAnotherNamespaceIsRefused(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		_, s := b.join("/")
		for name, send := range map[string]func(*Packet){
			"Send":    func(p *Packet) { _ = s.Send(p) },
			"TrySend": func(p *Packet) { s.TrySend(p) },
		} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s took it", name)
					}
				}()
				send(mustEncode(t, "/other", "x"))
			}()
		}
	})
}
