package app

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/doctor"
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

// A disk that is nearly full is told everywhere while changes are still stored, until it is freed.
func TestADiskThatIsNearlyFullIsToldBeforeItIsFull(t *testing.T) {
	dir := testneed.SmallDisk(t, 64)
	data := filepath.Join(dir, "data")
	r := start(t, "DATA_DIR="+data, "METRICS_ADDR=127.0.0.1:0")
	alice := r.register("alice@example.org")
	ballast := filepath.Join(dir, "ballast")
	r.checkDisk(t, data, "ok", "ok")

	disk, err := doctor.DiskOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ballast, make([]byte, disk.Free-disk.Low()/2), 0o600); err != nil {
		t.Fatal(err)
	}
	r.checkDisk(t, data, "degraded", "failed")
	if a := r.say(alice, "while it is nearly full"); a.code != 201 || r.ready() != 200 {
		t.Errorf("a change: %d %s, ready: %d", a.code, a.body, r.ready())
	}
	if n := strings.Count(r.log.String(), "nearly full"); n != 1 {
		t.Errorf("%d lines say so", n)
	}
	if err := os.Truncate(ballast, 0); err != nil {
		t.Fatal(err)
	}
	r.checkDisk(t, data, "ok", "ok")
	if !strings.Contains(r.log.String(), "has room again") {
		t.Error("no line says that there is room again")
	}
}

// checkDisk waits until /readyz says so of the disk, and wants the doctor and the metrics to agree.
func (r *running) checkDisk(t *testing.T, data, state, finding string) {
	t.Helper()
	r.within(patience, "the disk is "+state, func() bool {
		return r.call("GET", "/readyz", "", "").field("checks", "disk") == state
	})
	finds(t, examine(t, []string{"DATA_DIR=" + data, "JWT_SECRET=" + testSecret, "HOST=127.0.0.1", "PORT=" + r.port()}),
		map[string]string{"disk": finding + ": are free in " + data})
	free, size := gauge(t, r.metrics(), "expenseflow_disk_free_bytes"), gauge(t, r.metrics(), "expenseflow_disk_size_bytes")
	if low := free < size/10; low != (state != "ok") {
		t.Errorf("%s: %v of %v bytes are free", state, free, size)
	}
}

func gauge(t *testing.T, text, name string) float64 {
	t.Helper()
	_, rest, _ := strings.Cut(text, "\n"+name+" ")
	value, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return n
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
