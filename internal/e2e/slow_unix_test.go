//go:build unix

package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stallLimit is how long a client may take nothing before the server closes it;
// with a margin, since the test's clock is not the server's.
const stallLimit = 8 * second

// A device that stops reading while 2,000 operations are applied gets all of
// them afterwards, in order, and nobody waits for it. Their events are larger
// than every queue and kernel buffer between, so it must fall behind and read
// the log from its own position.
func TestTwoThousandOperationsReachASlowDevice(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		a := register(t, p)
		quick := startNode(t).connect(t, a, transports[1])
		slowNode := startNode(t)
		slow := []*device{slowNode.connect(t, a, transports[0]), slowNode.connect(t, a, transports[1])}
		ops := a.large(2000)

		stopped := time.Now()
		slowNode.signal(t, syscall.SIGSTOP)
		want := prefixed("expense_created ", ids(a.batch(t, ops...)))
		quick.hear(t, len(ops), "expense_created")
		slowNode.signal(t, syscall.SIGCONT)
		still := time.Since(stopped)

		same(t, "events of the quick device", want, quick.changes())
		for _, d := range slow {
			d.hear(t, len(ops), "expense_created")
			same(t, "events of the slow device", want, d.changes())
			if n := len(d.noted("disconnect")); n > 0 && still < stallLimit {
				t.Errorf("it was disconnected %d times for being %v behind", n, still)
			}
		}
		same(t, "stored expenses", len(ops), len(a.expenses(t)))
	})
}

// large returns n creates whose documents have about 2 kB each.
func (a *account) large(n int) []operation {
	ops := a.creates(n)
	for i := range ops {
		d := draft(fmt.Sprintf("item %d", i))
		d["notes"] = strings.Repeat("€", 500)
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
