package socketio

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// crowd opens connections whose sockets join the rooms named, and returns them.
func crowd(b *bubble, rooms ...string) (wires []*wire, sockets []*Socket) {
	for _, list := range rooms {
		w, s := b.join("/")
		if err := s.Join(strings.Fields(list)...); err != nil {
			b.t.Fatal(err)
		}
		wires, sockets = append(wires, w), append(sockets, s)
	}
	return wires, sockets
}

// whoHeard lists which of the wires heard the packet, and nothing else, once.
func whoHeard(t *testing.T, wires []*wire, packet string) string {
	t.Helper()
	var who []string
	for i, w := range wires {
		switch got := w.heard(); {
		case len(got) == 1 && got[0] == packet:
			who = append(who, fmt.Sprint(i))
		case len(got) > 0:
			t.Errorf("client %d heard %q", i, got)
		}
	}
	return strings.Join(who, " ")
}

func TestBroadcastReachesWhomItAddresses(t *testing.T) {
	tests := []struct {
		name string
		from func(n *Namespace, s []*Socket) *Broadcast
		want string
	}{
		{"namespace", func(n *Namespace, _ []*Socket) *Broadcast { return n.Local() }, "0 1 2 3"},
		{"room", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a") }, "0 1"},
		{"two rooms, each once", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a", "b") }, "0 1 2"},
		{"two rooms, one after the other", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a").To("b") }, "0 1 2"},
		{"a room twice", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a", "a") }, "0 1"},
		{"no such room", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("x") }, ""},
		{"a socket's own room", func(n *Namespace, s []*Socket) *Broadcast { return n.To(s[3].ID()) }, "3"},
		{"a socket's room and others", func(n *Namespace, s []*Socket) *Broadcast { return n.To(s[3].ID(), "b") }, "1 2 3"},
		{"all but a room", func(n *Namespace, _ []*Socket) *Broadcast { return n.Except("a") }, "2 3"},
		{"a room but another", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a").Except("b") }, "0"},
		{"all but a socket", func(n *Namespace, s []*Socket) *Broadcast { return n.Except(s[0].ID()) }, "1 2 3"},
		{"all others", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].Broadcast() }, "1 2 3"},
		{"others in a room", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].To("a") }, "1"},
		{"others but a room", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].Except("b") }, "3"},
		{"others nearby", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].Local() }, "1 2 3"},
		{"uncompressed", func(n *Namespace, _ []*Socket) *Broadcast { return n.Compress(false).To("b") }, "1 2"},
		{"with options", func(n *Namespace, _ []*Socket) *Broadcast {
			return n.Timeout(time.Second).Volatile().Compress(true).Local().To("b")
		}, "1 2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, Config{}, func(b *bubble) {
				wires, sockets := crowd(b, "a", "a b", "b", "")
				to := tt.from(b.Of("/"), sockets)
				if err := to.Emit("e", Binary("x")); err != nil {
					t.Fatal(err)
				}
				for _, w := range wires {
					w.mu.Lock()
					w.sent = slices.DeleteFunc(w.sent, func(m string) bool { return m == "<78>" })
					w.mu.Unlock()
				}
				if got := whoHeard(t, wires, `51-["e",{"_placeholder":true,"num":0}]`); got != tt.want {
					t.Errorf("reached %q, want %q", got, tt.want)
				}
				if got := len(to.FetchSockets()); got != len(strings.Fields(tt.want)) {
					t.Errorf("%d sockets were fetched", got)
				}
			})
		})
	}
}

func TestBroadcastIsNotChangedByItsOperators(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		wires, _ := crowd(b, "a", "b", "c")
		a := b.Of("/").To("a")
		_, _ = a.To("b"), a.Except("a")
		_ = a.Emit("e")
		if got := whoHeard(t, wires, `2["e"]`); got != "0" {
			t.Errorf("reached %q", got)
		}
	})
}

func TestSocketsAreMovedByRoom(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		n := b.Of("/")
		wires, sockets := crowd(b, "a", "a", "b")
		n.To("a").SocketsJoin("x", "y")
		n.To("b").SocketsJoin("x")
		_ = n.To("x").Emit("1")
		if got := whoHeard(t, wires, `2["1"]`); got != "0 1 2" {
			t.Errorf("x is %q", got)
		}
		n.Except("b").SocketsLeave("x", "a")
		if got := sockets[0].Rooms(); !slices.Equal(got, []string{sockets[0].ID(), "y"}) {
			t.Errorf("rooms %q", got)
		}
		n.SocketsJoin("all")
		n.SocketsLeave("y")
		if got := n.Rooms(); !slices.Equal(sorted(got), []string{"all", "b", "x"}) {
			t.Errorf("rooms %q", got)
		}
		n.To("x").DisconnectSockets(true)
		wires[2].expect("1")
		wires[2].expectClosed(reasonForcedServer)
		n.DisconnectSockets(false)
		wires[0].expect("1")
		wires[0].expectOpen()
		if n.Len() != 0 {
			t.Errorf("%d sockets are left", n.Len())
		}
	})
}

func sorted(s []string) []string { slices.Sort(s); return s }

func TestSocketLeavesItsRooms(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		wires, sockets := crowd(b, "a b c", "b")
		_ = sockets[0].Leave("b")
		_ = sockets[0].Leave("nowhere")
		_ = b.Of("/").To("b").Emit("e")
		if got := whoHeard(t, wires, `2["e"]`); got != "1" {
			t.Errorf("reached %q", got)
		}
		if got := sockets[0].Rooms(); !slices.Equal(sorted(got[1:]), []string{"a", "c"}) {
			t.Errorf("rooms %q", got)
		}
	})
}

func TestRoomsOfASocketAreBounded(t *testing.T) {
	inBubble(t, Config{MaxRooms: 3}, func(b *bubble) {
		_, s := b.join("/")
		if err := s.Join("a", "b"); err != nil {
			t.Fatal(err)
		}
		if err := s.Join("a", "b", "c", s.ID()); err != nil {
			t.Errorf("rooms it is in count twice: %v", err)
		}
		if err := s.Join("a", "d", "e"); !errors.Is(err, ErrTooManyRooms) || len(s.Rooms()) != 4 {
			t.Errorf("error %v, rooms %q", err, s.Rooms())
		}
	})
}

// TestRoomIsTheSetOfItsMembers compares rooms with a plain model.
func TestRoomIsTheSetOfItsMembers(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		srv := New(Config{})
		defer func() { _ = srv.Shutdown(t.Context()) }()
		n := srv.Of("/")
		sockets := make([]*Socket, 5)
		model := make([]map[string]bool, 5)
		for i := range sockets {
			sockets[i] = newSocket(&client{server: srv}, n, nil)
			n.add(sockets[i], func() {})
			model[i] = map[string]bool{}
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			i := rapid.IntRange(0, 4).Draw(rt, "socket")
			room := rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(rt, "room")
			switch rapid.IntRange(0, 3).Draw(rt, "step") {
			case 0, 1:
				_ = sockets[i].Join(room)
				model[i][room] = true
			case 2:
				_ = sockets[i].Leave(room)
				delete(model[i], room)
			case 3:
				rooms := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(rt, "to")
				except := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "d"}), 0, 2).Draw(rt, "except")
				checkTargets(rt, n.targets(rooms, except), sockets, model, rooms, except)
			}
		}
	})
}

func checkTargets(t *rapid.T, got, sockets []*Socket, model []map[string]bool, rooms, except []string) {
	in := func(i int) func(string) bool { return func(room string) bool { return model[i][room] } }
	for i, s := range sockets {
		want := 0
		if slices.ContainsFunc(rooms, in(i)) && !slices.ContainsFunc(except, in(i)) {
			want = 1
		}
		count := 0
		for _, g := range got {
			if g == s {
				count++
			}
		}
		if count != want {
			t.Fatalf("socket %d is addressed %d times, want %d", i, count, want)
		}
	}
}

func TestBroadcastGathersAnswers(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		wires, sockets := crowd(b, "a", "a", "b")
		type result struct {
			answers []Answer
			err     error
		}
		done := make(chan result, 1)
		go func() {
			answers, err := b.Of("/").To("a").Timeout(time.Minute).EmitAck(b.t.Context(), "q", 1)
			done <- result{answers, err}
		}()
		id := ackID(t, wires[0].heard()[0], `["q",1]`)
		if other := ackID(t, wires[1].heard()[0], `["q",1]`); other != id {
			t.Errorf("ids %s and %s: the event was encoded twice", id, other)
		}
		wires[2].expect()
		wires[1].say(`3` + id + `["one"]`)
		wires[2].say(`3` + id + `["nobody asked"]`)
		wires[1].say(`3` + id + `["one again"]`)
		wires[0].say(`3` + id + `["zero"]`)
		r := <-done
		if r.err != nil || len(r.answers) != 2 || r.answers[0].Socket != sockets[1] || string(r.answers[1].Args[0]) != `"zero"` {
			t.Errorf("answers %v, error %v", r.answers, r.err)
		}
	})
}

func TestBroadcastGathersWhatItCan(t *testing.T) {
	tests := []struct {
		name string
		miss func(w *wire)
		want error
	}{
		{"one is silent", func(*wire) {}, context.DeadlineExceeded},
		{"one goes", func(w *wire) { w.drop() }, ErrDisconnected},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, Config{}, func(b *bubble) {
				wires, sockets := crowd(b, "", "")
				go func() {
					id := ackID(t, wires[0].heard()[0], `["q"]`)
					wires[0].say(`3` + id + `[]`)
					tt.miss(wires[1])
				}()
				answers, err := b.Of("/").Timeout(time.Second).EmitAck(b.t.Context(), "q")
				if !errors.Is(err, tt.want) || len(answers) != 1 {
					t.Errorf("%d answers, error %v", len(answers), err)
				}
				synctest.Wait()
				if sockets[0].acks != nil || sockets[1].acks != nil {
					t.Error("answers are still waited for")
				}
			})
		})
	}
}

func TestBroadcastToNobodyIsAnsweredAtOnce(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		answers, err := b.Of("/").To("nobody").EmitAck(b.t.Context(), "q")
		if err != nil || len(answers) != 0 {
			t.Errorf("answers %v, error %v", answers, err)
		}
		if _, err := b.Of("/").EmitAck(b.t.Context(), "q", make(chan int)); err == nil {
			t.Error("a channel was sent")
		}
		if err := b.Emit("disconnect"); !errors.Is(err, ErrReserved) {
			t.Errorf("error %v", err)
		}
	})
}

func TestBroadcastAndEmitKeepTheirOrder(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		w, s := b.join("/")
		_ = s.Join("r")
		for i := range 50 {
			_ = s.Emit("e", 3*i)
			_ = b.Of("/").To("r").Emit("e", 3*i+1)
			_ = b.Of("/").Emit("e", 3*i+2)
		}
		for i, got := range w.heard() {
			if want := fmt.Sprintf(`2["e",%d]`, i); got != want {
				t.Fatalf("heard %s in place of %s", got, want)
			}
		}
	})
}

// The room of a socket's id is a room like others: somebody else may join it, and
// its owner may be told to join it too.
func TestSocketInTheRoomOfItsOwnIDIsReachedOnce(t *testing.T) {
	inBubble(t, Config{}, func(b *bubble) {
		w, owner := b.join("/")
		guest, other := b.join("/")
		for _, s := range []*Socket{other, owner, other} {
			if err := s.Join(owner.ID()); err != nil {
				t.Error(err)
			}
		}
		_ = b.Of("/").To(owner.ID()).Emit("news")
		w.expect(`2["news"]`)
		guest.expect(`2["news"]`)
		if got := owner.Rooms(); !slices.Equal(got, []string{owner.ID()}) {
			t.Errorf("rooms %q", got)
		}
	})
}
