//go:build unix

package engineio_test

import (
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"expenseflow/internal/engineio"
)

// readers opens sessions over WebSocket, with compression or without, whose clients drop what they
// read. It returns the sessions and counts the bytes that arrived.
func readers(b *testing.B, n int, compressed bool) (peers []*peer, read *atomic.Int64) {
	b.Helper()
	h := open(b, engineio.Config{PerMessageDeflate: true})
	h.dialer.EnableCompression = compressed
	read = new(atomic.Int64)
	for range n {
		c, p := h.connect()
		peers = append(peers, p)
		go func(conn net.Conn) {
			buf := make([]byte, 1<<10)
			for {
				n, err := conn.Read(buf)
				read.Add(int64(n))
				if err != nil {
					return
				}
			}
		}(c.NetConn())
	}
	return peers, read
}

// events is JSON as the application sends it: so many expenses.
func events(n int) string {
	var b strings.Builder
	b.WriteString(`2["expenses:batch",{"changes":[`)
	for i := range n {
		fmt.Fprintf(&b, `{"event":"expense_created","seq":%d,"expense":{"_id":"65f%021x","description":"Groceries at shop %d","amount":%d.%02d,`+
			`"category":"food","type":"expense","currency":"EUR","date":"2026-11-%02dT12:%02d:00.000Z","version":1,"deviceId":"device_%d"}},`,
			i, i*7919, i%37, i*13%400, i%100, i%30+1, i%60, i%3)
	}
	b.WriteString(`{}]}]`)
	return b.String()
}

// BenchmarkBroadcast says what one delivery of a broadcast costs: microseconds of processor time,
// of which the client's share is that of reading, and bytes on the wire.
func BenchmarkBroadcast(b *testing.B) {
	for _, of := range []struct{ sockets, expenses int }{{200, 1}, {200, 5}, {200, 50}, {1, 5}, {1, 50}} {
		text := events(of.expenses)
		for _, compressed := range []bool{false, true} {
			b.Run(fmt.Sprintf("sockets=%d/bytes=%d/compressed=%v", of.sockets, len(text), compressed), func(b *testing.B) {
				peers, read := readers(b, of.sockets, compressed)
				before, cpu := read.Load(), cpuTime(b)
				perMessage := int64(0)
				b.ResetTimer()
				for i := range b.N {
					shared := group(text)
					for _, p := range peers {
						p.Send(shared)
					}
					if i == 0 {
						perMessage = settled(read) - before
					}
					for read.Load() < before+perMessage*int64(i+1) {
						time.Sleep(100 * time.Microsecond)
					}
				}
				deliveries := float64(b.N * len(peers))
				b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/deliveries, "us-cpu/delivery")
				b.ReportMetric(float64(perMessage)/float64(len(peers)), "wire-bytes/delivery")
			})
		}
	}
}

// settled returns how much was read when nothing more arrives.
func settled(read *atomic.Int64) int64 {
	for last := int64(-1); ; last = read.Load() {
		time.Sleep(200 * time.Millisecond)
		if read.Load() == last {
			return last
		}
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkIdleSession says what an idle session keeps in memory, its client in this process
// included, after messages in both directions.
func BenchmarkIdleSession(b *testing.B) {
	for _, compressed := range []bool{false, true} {
		b.Run(fmt.Sprintf("compressed=%v", compressed), func(b *testing.B) {
			const sessions = 1000
			for range b.N {
				before := inUse()
				peers, read := readers(b, sessions, compressed)
				shared := group(events(5))
				for _, p := range peers {
					p.Send(shared)
				}
				settled(read)
				b.ReportMetric(float64(inUse()-before)/sessions, "B/session")
			}
		})
	}
}

func inUse() int64 {
	runtime.GC()
	runtime.GC() // empties the pools
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
