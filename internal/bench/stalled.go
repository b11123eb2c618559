package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// measureStalled sends 80 MB to a room of ten, first all reading, then with an
// eleventh that does not, and gives what the eleventh costs: growth of the
// process, what waits in the kernel for it, seconds until it is disconnected, and
// how much slower the others are.
func measureStalled(ctx context.Context, p *process, scale float64) (result, error) {
	f := &fanout{rooms: 1, members: 10, flight: 1, broadcasts: scaled(800, scale, 300), size: 100_000}
	conns, err := f.join(p)
	if err != nil {
		return nil, err
	}
	defer closeAll(conns)
	control, err := newController(p)
	if err != nil {
		return nil, err
	}
	defer control.Close()

	without, _, err := f.paced(ctx, p.rss, control.conn)
	if err != nil {
		return nil, err
	}
	stalled, err := joinAndStall(p.addr)
	if err != nil {
		return nil, err
	}
	defer stalled.Close()
	began := time.Now()
	kernel := &kernelWatch{local: p.addr, remote: stalled.LocalAddr().String()}
	with, growth, err := f.paced(ctx, func() (int64, error) {
		kernel.look()
		return p.rss()
	}, control.conn)
	if err = errors.Join(err, kernel.err); err != nil {
		return nil, err
	}
	closing, err := control.awaitClients(ctx, len(conns)+1, began)
	return result{
		"stalled-memory": float64(growth) / (1 << 20),
		"stalled-kernel": float64(kernel.most) / (1 << 20),
		"stalled-others": with.at(0.99) / without.at(0.99),
		"stalled-closed": closing,
		"stalled-lost":   float64(f.left.Load()),
	}, err
}

// joinAndStall is a connection in the room that is never read again.
func joinAndStall(addr string) (*conn, error) {
	c, err := dial(addr, "")
	if err != nil {
		return nil, err
	}
	if err := c.writeText(`421["join","room0"]`); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// A kernelWatch notes the most that the kernel held for one connection.
type kernelWatch struct {
	local, remote string
	looks         int
	most          int64
	err           error
}

// look looks a few times only: the buffer is full after a few megabytes, and the
// kernel takes milliseconds to list its connections.
func (w *kernelWatch) look() {
	const enough = 50
	if w.looks++; w.looks > enough || w.err != nil {
		return
	}
	var waits int64
	waits, w.err = sendQueue(w.local, w.remote)
	w.most = max(w.most, waits)
}

// sendQueue is how many bytes the kernel holds that the server, at the address
// local, has sent to a client at remote and that the client's side has not taken; 0
// once there is no such connection.
func sendQueue(local, remote string) (int64, error) {
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return 0, err
	}
	ends := hexAddr(local) + " " + hexAddr(remote)
	for line := range strings.Lines(string(table)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[1]+" "+fields[2] == ends {
			sent, _, _ := strings.Cut(fields[4], ":")
			return strconv.ParseInt(sent, 16, 64)
		}
	}
	return 0, nil
}

// hexAddr writes an IPv4 address and port as /proc/net/tcp does.
func hexAddr(addr string) string {
	a, err := netip.ParseAddrPort(addr)
	if err != nil {
		return addr
	}
	ip := a.Addr().As4()
	return fmt.Sprintf("%08X:%04X", binary.NativeEndian.Uint32(ip[:]), a.Port())
}

// paced fires the broadcasts one at a time and gives how long each took to reach
// everybody who reads, and by how much the process, whose memory is rss, grew
// meanwhile.
func (f *fanout) paced(ctx context.Context, rss func() (int64, error), control *conn) (*latencies, int64, error) {
	before, err := rss()
	if err != nil {
		return nil, 0, err
	}
	lat, peak := &latencies{}, before
	for range f.broadcasts {
		began := time.Now()
		if err := f.fire(ctx, control, 1); err != nil {
			return nil, 0, err
		}
		lat.add(time.Since(began))
		now, err := rss()
		if err != nil {
			return nil, 0, err
		}
		peak = max(peak, now)
	}
	return lat, peak - before, nil
}

// A controller is a client that can ask the server how many clients it has.
type controller struct {
	*conn
	counts chan int
}

func newController(p *process) (*controller, error) {
	conn, err := dial(p.addr, "")
	if err != nil {
		return nil, err
	}
	c := &controller{conn: conn, counts: make(chan int, 1)}
	conn.listen(func(packet []byte) {
		// the ack of "count" is 39[<n>]
		if digits, ok := strings.CutPrefix(string(packet), "39["); ok {
			n, _ := strconv.Atoi(strings.TrimSuffix(digits, "]"))
			c.counts <- n
		}
	})
	return c, nil
}

// closingTimeout bounds the wait for a stalled reader's end: longer than Node's
// heartbeat of 45 s.
const closingTimeout = 60 * time.Second

// awaitClients gives the seconds from began until the server has want clients,
// or closingTimeout if it never does.
func (c *controller) awaitClients(ctx context.Context, want int, began time.Time) (float64, error) {
	for time.Since(began) < closingTimeout {
		if err := c.writeText(`429["count"]`); err != nil {
			return 0, err
		}
		select {
		case n := <-c.counts:
			if n <= want {
				return time.Since(began).Seconds(), nil
			}
		case <-c.ended:
			return 0, fmt.Errorf("control connection: %w", c.err)
		}
		if err := pause(ctx, 250*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return closingTimeout.Seconds(), nil
}
