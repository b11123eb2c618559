package hintstest_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"expenseflow/internal/hints"
	"expenseflow/internal/hints/hintstest"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type process struct {
	hints.Bus
	mu     sync.Mutex
	heard  []string
	missed int
}

func run(ctx context.Context, n *hintstest.Network, id string) *process {
	p := &process{Bus: n.Join(id)}
	go func() {
		_ = p.Run(ctx, func(from string, h hints.Hint) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.heard = append(p.heard, from+" "+h.Kind+" "+string(h.Data))
		}, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.missed++
		})
	}()
	return p
}

func TestEverybodyElseHears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var n hintstest.Network
		a, b := run(ctx, &n, "a"), run(ctx, &n, "b")
		late := n.Join("late")
		synctest.Wait()
		a.Publish(hints.ForUsers("alice"))
		n.Cut()
		a.Publish(hints.Hint{Kind: "room", Data: json.RawMessage(`"lost"`)})
		n.Heal()
		late.Publish(hints.Hint{Kind: "room", Data: json.RawMessage(`"last"`)})
		synctest.Wait()
		if want := []string{`a log {"users":["alice"]}`, `late room "last"`}; !slices.Equal(b.heard, want) || b.missed != 2 {
			t.Errorf("b heard %q and missed %d", b.heard, b.missed)
		}
		if want := []string{`late room "last"`}; !slices.Equal(a.heard, want) || a.missed != 2 {
			t.Errorf("a heard %q and missed %d", a.heard, a.missed)
		}
	})
}
