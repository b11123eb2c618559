package e2e

import (
	"fmt"
	"testing"
	"time"
)

// connectByEach connects so many devices of an account by each transport.
func (n *node) connectByEach(t *testing.T, url string, a *account, count int) (devices []*device) {
	t.Helper()
	for _, tr := range transports {
		for range count {
			devices = append(devices, n.connectAt(t, url, a, tr))
		}
	}
	return devices
}

// Without sticky sessions Node's server answers most requests with "Session ID unknown".
func TestEveryRequestMayGoToAnyProcess(t *testing.T) {
	n := startNode(t)
	for _, size := range []int{2, 3} {
		t.Run(fmt.Sprint(size, " processes"), func(t *testing.T) {
			fleet := processes(t, size)
			url := behindABalancer(t, fleet).url()
			a := register(t, fleet[0])
			devices := n.connectByEach(t, url, a, 6)
			var want []string
			for i := range 20 {
				a.p = fleet[i%size]
				want = append(want, "expense_created "+a.create(t, fmt.Sprint("number ", i), "").ID)
			}
			for i, d := range devices {
				d.hear(t, len(want), "expense_created")
				same(t, fmt.Sprint("changes heard by device ", i), want, d.changes())
				same(t, fmt.Sprint("connections of device ", i), 1, len(d.noted("connect")))
				same(t, fmt.Sprint("disconnects of device ", i), 0, len(d.noted("disconnect")))
				d.ask(t, "presence:list")
			}
		})
	}
}

// A process that is killed takes its sessions with it, and those whose clients happened to
// be forwarded by it: all of them continue at the others.
func TestClientsContinueWhenAProcessIsKilled(t *testing.T) {
	n := startNode(t)
	fleet := processes(t, 3)
	url := behindABalancer(t, fleet).url()
	a := register(t, fleet[0])
	devices := n.connectByEach(t, url, a, 4)
	before := a.create(t, "before", "")
	for _, d := range devices {
		d.hear(t, 1, "expense_created")
	}
	if err := fleet[2].kill(); err != nil {
		t.Fatal(err)
	}
	meanwhile := a.create(t, "meanwhile", "")
	want := prefixed("expense_created ", []string{before.ID, meanwhile.ID})
	for i, d := range devices {
		d.hear(t, 2, "expense_created")
		same(t, fmt.Sprint("changes heard by device ", i), want, d.changes())
	}
}

// A process that ends closes its sockets one by one. Their clients continue elsewhere and
// miss nothing, and those of the other process do not notice.
func TestAProcessThatEndsHandsItsSocketsOver(t *testing.T) {
	n := startNode(t)
	fleet := processes(t, 2, "DRAIN_SPREAD=3s", "SHUTDOWN_DELAY=1s") // the balancer takes half of that to notice
	url := behindABalancer(t, fleet).url()
	a := register(t, fleet[0])
	devices := n.connectByEach(t, url, a, 8)
	ended := make(chan error, 1)
	go func() { ended <- fleet[1].finish() }()
	var want []string
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for running := true; running; <-pace.C {
		want = append(want, "expense_created "+a.create(t, "while it ends", "").ID)
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			running = false
		default:
		}
	}
	want = append(want, "expense_created "+a.create(t, "afterwards", "").ID)
	for i, d := range devices {
		d.hear(t, len(want), "expense_created")
		same(t, fmt.Sprint("changes heard by device ", i), want, d.changes())
	}
}
