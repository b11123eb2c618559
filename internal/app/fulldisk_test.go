package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// While the disk is full, changes are answered 503, readiness fails, and reads work. With
// room again both succeed without a restart, and what was acknowledged is stored.
func TestADiskThatFillsUpAndIsFreed(t *testing.T) {
	dir := testneed.SmallDisk(t, 8)
	r := start(t, "DATA_DIR="+filepath.Join(dir, "data"))
	alice := r.register("alice@example.org")
	var kept []string
	put := func(name string) int {
		a := r.say(alice, name)
		if a.code == 201 {
			kept = append(kept, name)
		}
		return a.code
	}
	put("before")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	fillUp(t, ballast)
	r.within(patience, "a change is refused", func() bool {
		return put(fmt.Sprintf("%d %s", len(kept),
			strings.Repeat("x", 90))) == 503
	})
	r.within(10*time.Second, "readiness says no", func() bool { return r.ready() == 503 })
	if a := r.call("GET", "/api/expenses", alice, ""); a.code != 200 {
		t.Errorf("reading with a full disk: %d %s", a.code, a.body)
	}
	if err := os.Truncate(ballast, 0); err != nil {
		t.Fatal(err)
	}
	r.within(30*time.Second, "a change is stored", func() bool { return put("after") == 201 })
	r.within(30*time.Second, "readiness says yes", func() bool { return r.ready() == 200 })
	got := described(r.call("GET", "/api/expenses", alice, "").body)
	slices.Sort(got)
	slices.Sort(kept)
	if !slices.Equal(got, kept) {
		t.Errorf("%d expenses were acknowledged, %d are there", len(kept), len(got))
	}
}

// fillUp writes until the disk is full.
func fillUp(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
}
