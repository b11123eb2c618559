package app

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expenseflow/internal/config"
)

// accepted returns how many of n connections from this machine a listener accepts, and what
// it logs.
func accepted(t *testing.T, most, n int, proxies config.Prefixes) (taken int, log string) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	ln := newConnectionLimit(most, proxies, slog.New(slog.NewTextHandler(&b, nil))).listener(inner)
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
	taken, log := accepted(t, 1000, minConnectionsForWarning+10, nil)
	if taken != minConnectionsForWarning+10 || strings.Count(log, "TRUSTED_PROXIES") != 1 {
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

// The connections of another process carry everybody's requests: as those of a trusted
// proxy they count for no address.
func TestConnectionsOfOtherProcessesCountForNoAddress(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limit := newConnectionLimit(20, nil, slog.New(slog.DiscardHandler))
	ln := limit.listener(inner)
	defer ln.Close()
	var taken []net.Conn
	for range 18 {
		client, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		shareConnection((&http.Request{}).WithContext(withConn(t.Context(), conn)))
		taken = append(taken, conn)
	}
	if mine, all := limit.places.Use("127.0.0.1"); mine != 0 || all != 18 {
		t.Errorf("%d of %d count for the address", mine, all)
	}
	if _, ok := limit.take(&http.Request{RemoteAddr: "203.0.113.9:1"}); !ok {
		t.Error("there is no room for a tunnel of a client that has none")
	}
	for _, conn := range taken {
		_, _ = conn.Close(), conn.Close()
	}
	if _, all := limit.places.Use(""); all != 1 {
		t.Errorf("%d places are still taken", all)
	}
}
