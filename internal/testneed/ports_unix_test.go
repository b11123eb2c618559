//go:build unix

package testneed

import "testing"

// A member of a Redis cluster listens on its port plus 10000 too, and refuses to start where
// that is none.
func TestAPortLeavesRoomForTheBusOfARedisCluster(t *testing.T) {
	seen := map[int]bool{}
	for range 100 {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		if port+10_000 > 65_535 || port >= 32_768 || seen[port] {
			t.Errorf("port %d is too high, of outgoing connections, or given twice", port)
		}
		seen[port] = true
	}
}
