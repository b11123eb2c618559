package app

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expenseflow/internal/config"
)

// accepted is how many of n connections from this machine ln takes.
func accepted(t *testing.T, most, n int, proxies config.Prefixes) (taken int, log string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	ln := limitConnections(inner, most, proxies, slog.New(slog.NewTextHandler(&b, nil)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			_, _ = conn.Write([]byte("x"))
		}
	}()
	for range n {
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			continue // refused before the dialler had the connection
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.ReadFull(conn, make([]byte, 1)); err == nil {
			taken++
		}
	}
	_ = ln.Close()
	<-done
	return taken, b.String()
}

func TestOneAddressTakesAllConnections(t *testing.T) {
	taken, log := accepted(t, 20, 40, nil)
	if taken != 10 || strings.Count(log, "MAX_TCP_CONNECTIONS") != 1 || !strings.Contains(log, "127.0.0.1") {
		t.Errorf("%d of 40 were taken; the log says:\n%s", taken, log)
	}
	if taken, _ := accepted(t, 20, 40, config.Prefixes{netip.MustParsePrefix("127.0.0.1/32")}); taken != 20 {
		t.Errorf("%d of a trusted proxy's 40 were taken", taken)
	}
	if taken, _ := accepted(t, 0, 40, nil); taken != 40 {
		t.Errorf("%d of 40 were taken without a limit", taken)
	}
}

func TestNobodyHearsThatAllVisitorsAreOneAddress(t *testing.T) {
	taken, log := accepted(t, 1000, fewConnections+10, nil)
	if taken != fewConnections+10 || strings.Count(log, "TRUSTED_PROXIES") != 1 {
		t.Errorf("%d were taken; the log says:\n%s", taken, log)
	}
}

func TestContainerMemory(t *testing.T) {
	for text, want := range map[string]int64{"536870912\n": 536870912, "max\n": 0, "9223372036854771712\n": 0, "": 0} {
		name := filepath.Join(t.TempDir(), "memory.max")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, ok := containerMemory([]string{"/nowhere", name})
		if ok != (want != 0) || ok && got != want {
			t.Errorf("%q: %d, %v", text, got, ok)
		}
	}
}
