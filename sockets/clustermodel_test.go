package sockets

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A clusterStep is something that happens in a cluster.
type clusterStep struct {
	what         string
	process      int
	user, device string
	pause        time.Duration // afterwards
}

var clusterSteps = []string{
	"connect", "connect", "connect", "disconnect", "disconnect", "kill", "cut", "heal", "lose hints",
	"keep hints",
}

var drawClusterStep = rapid.Custom(func(t *rapid.T) clusterStep {
	return clusterStep{
		what:    rapid.SampledFrom(clusterSteps).Draw(t, "what"),
		process: rapid.IntRange(0, 2).Draw(t, "process"),
		user:    rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "user"),
		device:  rapid.SampledFrom([]string{"phone", "laptop"}).Draw(t, "device"),
		pause: time.Duration(rapid.SampledFrom([]int{0, 10, 60, 500, 2900, 3100, 5000, 12000}).Draw(t, "pause")) *
			time.Millisecond,
	}
})

// Whatever happens to devices, processes and hints, after a while every process knows who is
// there, and has told so those who are.
func TestEveryProcessEndsUpWithTheTruth(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(drawClusterStep, 1, 25).Draw(rt, "steps")
		var problems []string
		synctest.Test(t, func(*testing.T) { problems = playCluster(steps) })
		if len(problems) > 0 {
			rt.Fatalf("%d steps: %q", len(steps), problems)
		}
	})
}

// playCluster takes steps and returns in what processes differ from the truth in the end.
func playCluster(steps []clusterStep) (problems []string) {
	c, starts := newFakeCluster(), 3
	nodes := []*node{c.start("p0"), c.start("p1"), c.start("p2")}
	for _, s := range steps {
		n := nodes[s.process]
		switch s.what {
		case "connect":
			n.join(n.connect(s.user, s.device))
		case "disconnect":
			if len(n.open) > 0 {
				n.disconnect(n.open[0])
			}
		case "kill":
			n.kill()
			nodes[s.process] = c.start(fmt.Sprint("p", starts))
			starts++
		case "cut", "heal":
			n.setCut(s.what == "cut")
		default:
			c.mu.Lock()
			c.loses = s.what == "lose hints"
			c.mu.Unlock()
		}
		time.Sleep(s.pause)
	}
	for _, n := range nodes {
		n.setCut(false)
	}
	time.Sleep(20 * time.Second)
	synctest.Wait()
	problems = compareWithTruth(nodes)
	for _, n := range nodes {
		n.kill()
	}
	return problems
}

func compareWithTruth(nodes []*node) (problems []string) {
	devices, members := map[string][]string{}, []string{}
	for _, n := range nodes {
		for _, s := range n.open {
			devices[s.userID] = append(devices[s.userID], s.device)
			members = append(members, s.userID+" "+s.device)
		}
	}
	differs := func(n *node, what string, got, want []string) {
		if want = slices.Compact(slices.Sorted(slices.Values(want))); !slices.Equal(got, want) {
			problems = append(problems, fmt.Sprintf("%s %s %q, want %q", n.id, what, got, want))
		}
	}
	for _, n := range nodes {
		for user, want := range devices {
			differs(n, "knows of "+user, n.devices(user), want)
			if slices.ContainsFunc(n.open, func(s *session) bool { return s.userID == user }) {
				sent := n.sent(user)
				differs(n, "has told "+user, sent[len(sent)-1], want)
			}
		}
		if len(n.open) > 0 {
			differs(n, "has in the room", n.members(), members)
		}
	}
	return problems
}
