package socketio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// joinRooms opens a connection for each element of rooms, whose socket joins the rooms
// that are named in it.
func joinRooms(b *fixture, rooms ...string) (clients []*testClient, sockets []*Socket) {
	for _, list := range rooms {
		w, s := b.join("/")
		if err := s.Join(strings.Fields(list)...); err != nil {
			b.t.Fatal(err)
		}
		clients, sockets = append(clients, w), append(sockets, s)
	}
	return clients, sockets
}

// whoReceived lists which of the clients received the packet, and nothing else, once.
func whoReceived(t *testing.T, clients []*testClient, packet string) string {
	t.Helper()
	var who []string
	for i, w := range clients {
		switch got := w.received(); {
		case len(got) == 1 && got[0] == packet:
			who = append(who, fmt.Sprint(i))
		case len(got) > 0:
			t.Errorf("client %d received %q", i, got)
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
		{"namespace", func(n *Namespace, _ []*Socket) *Broadcast { return n.To() }, "0 1 2 3"},
		{"room", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a") }, "0 1"},
		{"two rooms, each once", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a", "b") }, "0 1 2"},
		{"a room twice", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("a", "a") }, "0 1"},
		{"no such room", func(n *Namespace, _ []*Socket) *Broadcast { return n.To("x") }, ""},
		{"a socket's own room", func(n *Namespace, s []*Socket) *Broadcast { return n.To(s[3].ID()) }, "3"},
		{"a socket's room and others", func(n *Namespace, s []*Socket) *Broadcast { return n.To(s[3].ID(), "b") }, "1 2 3"},
		{"all others", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].To() }, "1 2 3"},
		{"others in a room", func(_ *Namespace, s []*Socket) *Broadcast { return s[0].To("a") }, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withServer(t, Config{}, func(b *fixture) {
				clients, sockets := joinRooms(b, "a", "a b", "b", "")
				to := tt.from(b.Of("/"), sockets)
				if err := to.Emit("e", "x"); err != nil {
					t.Fatal(err)
				}
				if got := whoReceived(t, clients, `2["e","x"]`); got != tt.want {
					t.Errorf("reached %q, want %q", got, tt.want)
				}
				if got := len(to.FetchSockets()); got != len(strings.Fields(tt.want)) {
					t.Errorf("%d sockets were fetched", got)
				}
			})
		})
	}
}

// One broadcast is encoded once for all, whatever it holds.
func TestBroadcastKeepsAnEventAndItsAttachmentsTogether(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		clients, _ := joinRooms(b, "", "")
		if err := b.Of("/").Emit("e", binaryJSON(`$0`, "x")); err != nil {
			t.Fatal(err)
		}
		for _, c := range clients {
			c.expect(`51-["e",{"_placeholder":true,"num":0}]`, "<78>")
		}
		if err := b.Of("/").Emit("disconnect"); !errors.Is(err, ErrReserved) {
			t.Errorf("error %v", err)
		}
	})
}

func sorted(s []string) []string { slices.Sort(s); return s }

func TestSocketLeavesItsRooms(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		clients, sockets := joinRooms(b, "a b c", "b")
		_ = sockets[0].Leave("b")
		_ = sockets[0].Leave("nowhere")
		_ = b.Of("/").To("b").Emit("e")
		if got := whoReceived(t, clients, `2["e"]`); got != "1" {
			t.Errorf("reached %q", got)
		}
		if got := sockets[0].Rooms(); !slices.Equal(sorted(got[1:]), []string{"a", "c"}) {
			t.Errorf("rooms %q", got)
		}
	})
}

func TestRoomsOfASocketAreBounded(t *testing.T) {
	withServer(t, Config{MaxRooms: 3}, func(b *fixture) {
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
				checkTargets(rt, n.targets(rooms), sockets, model, rooms)
			}
		}
	})
}

func checkTargets(t *rapid.T, got, sockets []*Socket, model []map[string]bool, rooms []string) {
	in := func(i int) func(string) bool { return func(room string) bool { return model[i][room] } }
	for i, s := range sockets {
		want := 0
		if slices.ContainsFunc(rooms, in(i)) {
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

func TestBroadcastAndEmitKeepTheirOrder(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w, s := b.join("/")
		_ = s.Join("r")
		for i := range 50 {
			_ = s.Emit("e", 3*i)
			_ = b.Of("/").To("r").Emit("e", 3*i+1)
			_ = b.Of("/").Emit("e", 3*i+2)
		}
		for i, got := range w.received() {
			if want := fmt.Sprintf(`2["e",%d]`, i); got != want {
				t.Fatalf("heard %s in place of %s", got, want)
			}
		}
	})
}

// The room of a socket's id is a room like others: other sockets may join it, and so may
// its owner.
func TestSocketInTheRoomOfItsOwnIDIsReachedOnce(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
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
