//go:build unix

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// A device that stops reading while 2,000 operations are applied gets all of
// them afterwards, in order, and nobody waits for it. Their events are larger
// than every queue and kernel buffer between, so it must fall behind and read
// the log from its own position.
func TestTwoThousandOperationsReachASlowDevice(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		quick := startNode(t).connectAll(t, a)
		slowNode := startNode(t)
		slow := []*device{slowNode.connect(t, a, transports[0]), slowNode.connect(t, a, transports[1])}
		ops := a.large(2000)

		slowNode.signal(t, syscall.SIGSTOP)
		results := a.batch(t, ops...)
		want := prefixed("expense_created ", ids(results))
		for _, d := range quick {
			d.hear(t, len(ops), "expense_created")
			same(t, "events of a quick device", want, d.changes())
		}
		slowNode.signal(t, syscall.SIGCONT)

		for _, d := range slow {
			d.hear(t, len(ops), "expense_created")
			same(t, "events of the slow device", want, d.changes())
			same(t, "its disconnects", 0, len(d.noted("disconnect")))
		}
		same(t, "stored expenses", len(ops), len(a.expenses(t)))
	})
}

// large gives n creates whose documents have about 4 kB each.
func (a *account) large(n int) []operation {
	ops := a.creates(n)
	for i := range ops {
		d := draft(fmt.Sprintf("item %d", i))
		d["notes"] = strings.Repeat("ÿ€", 250)
		d["description"] = strings.Repeat("€", 90) + fmt.Sprint(i)
		ops[i].Data = d
	}
	return ops
}

func (n *node) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := n.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}
