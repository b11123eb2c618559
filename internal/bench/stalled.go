package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// measureStalled sends 80 MB to a room of ten, first all reading, then with an
// eleventh that does not, and gives what the eleventh costs: growth of the
// process, seconds until it is disconnected, and how much slower the others are.
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

	without, _, err := f.paced(ctx, p, control.conn)
	if err != nil {
		return nil, err
	}
	deaf, err := dial(p.addr, "") // is never read again
	if err != nil {
		return nil, err
	}
	defer deaf.Close()
	if err := deaf.writeText(`421["join","room0"]`); err != nil {
		return nil, err
	}
	began := time.Now()
	with, growth, err := f.paced(ctx, p, control.conn)
	if err != nil {
		return nil, err
	}
	closing, err := control.awaitClients(ctx, len(conns)+1, began)
	return result{
		"stalled-memory": float64(growth) / (1 << 20),
		"stalled-others": with.at(0.99) / without.at(0.99),
		"stalled-closed": closing,
		"stalled-lost":   float64(f.left.Load()),
	}, err
}

// paced fires the broadcasts one at a time and gives how long each took to reach
// everybody who reads, and by how much the process grew meanwhile.
func (f *fanout) paced(ctx context.Context, p *process, control *conn) (*latencies, int64, error) {
	before, err := p.rss()
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
		now, err := p.rss()
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
