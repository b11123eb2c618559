package socketio

import (
	"context"
	"testing"
	"testing/synctest"
)

// Only names that the application gave are counted by themselves: all others, and what happens
// in namespaces that there are not, are other.
func TestEventsAreCountedByNamesOfTheApplication(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		n := b.Of("/")
		echoing(n)
		n.CountEvents([]string{"message", Other}, []string{"message-back"})
		n.On("bad", func(context.Context, *Event) { panic("x") })
		w, _ := b.join("/")
		w.send(`2["message",1]`, `2["invented"]`, `2["bad"]`, `2["other"]`, "0/nowhere,")
		synctest.Wait()

		all := b.Server.Stats()
		if len(all) != 2 || all[0].Name != "/" || all[1].Name != Other {
			t.Fatalf("namespaces: %+v", all)
		}
		main := all[0]
		if main.Connected != 1 || main.Connects != 1 || main.Disconnects != 0 || main.Errors != 1 || all[1].Errors != 1 {
			t.Errorf("%+v, %+v", main, all[1])
		}
		if r := main.Received; r[0].Name != "message" || r[0].Count != 1 || r[1].Name != Other || r[1].Count != 3 {
			t.Errorf("received %+v", r)
		}
		if main.Sent[0] != (EventStats{"message-back", 1, 18}) || main.Sent[1].Count != 0 {
			t.Errorf("sent %+v", main.Sent)
		}
	})
}

// A packet that is sent to many, in other namespaces and servers too, counts where it is sent.
func TestAPacketCountsWhereItIsSent(t *testing.T) {
	a, b := New(Config{}).Of("/"), New(Config{}).Of("/")
	a.CountEvents(nil, []string{"x"})
	p, err := Encode("/", "x", 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []*Namespace{a, a, b} {
		n.countSent(p)
	}
	if got := a.stats().Sent; got[0] != (EventStats{"x", 2, 14}) {
		t.Errorf("in the first: %+v", got)
	}
	if got := b.stats().Sent; got[0] != (EventStats{Other, 1, 7}) {
		t.Errorf("in the other: %+v", got)
	}
	if n := testing.AllocsPerRun(100, func() { a.countSent(p) }); n != 0 {
		t.Errorf("%v allocations to count", n)
	}
}
