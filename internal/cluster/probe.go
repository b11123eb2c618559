package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
)

// A reachability is whether requests reach a process at its address.
type reachability uint32

const (
	untried   reachability = iota
	doubtful               // a forward failed, or a first probe: requests are still forwarded
	reached                // it has answered a probe
	unreached              // it has answered none of failedProbes in a row
)

// failedProbes is how many probes in a row must fail: a process has its row before it
// serves.
const failedProbes = 3

func (p *peer) is(r reachability) bool { return reachability(p.state.Load()) == r }

func (p *peer) unreachable() bool { return p.is(unreached) }

// suspect has the next heartbeat probe the process, because it was silent.
func (p *peer) suspect() { p.state.CompareAndSwap(uint32(reached), uint32(doubtful)) }

// probeNewcomers probes the processes of which it is not known that they are reached.
func (c *Cluster) probeNewcomers(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		if !p.is(reached) && p.probing.CompareAndSwap(false, true) {
			c.probes.Go(func() {
				defer p.probing.Store(false)
				c.probe(ctx, p)
			})
		}
	}
}

// probe asks a process for its name at its address, and notes the result.
func (c *Cluster) probe(ctx context.Context, p *peer) {
	err := c.forward.probe(ctx, p)
	before := reachability(p.state.Load())
	switch {
	case ctx.Err() != nil || p.gone.Err() != nil:
	case err == nil:
		p.failures.Store(0)
		p.state.Store(uint32(reached))
		if before == unreached {
			c.log.Info("another process can be reached again", slog.String("process", p.id), slog.String("url", p.url))
		}
	case p.failures.Add(1) >= failedProbes && before != unreached:
		p.state.Store(uint32(unreached))
		c.log.Warn("another process cannot be reached at its address: its clients get 503 here until they come to it directly; "+
			"set its ADVERTISE_URL to an address that this process reaches",
			slog.String("process", p.id), slog.String("url", p.url), slog.Any("error", err))
	}
}

// errOther is the error of an address at which something else answers.
var errOther = errors.New("another program, or an older release, answers there")

func (f *forwarding) probe(ctx context.Context, p *peer) error {
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	said := forward{to: p.id, from: f.c.id, number: f.number.Add(1)}
	target, err := url.Parse(p.address.scheme + "://" + p.address.host + probeURI)
	if err != nil {
		return err
	}
	r := (&http.Request{Method: http.MethodGet, URL: target, Host: target.Host, Header: http.Header{}}).WithContext(ctx)
	r.Header.Set(forwardHeader, f.c.keys.sign(said, r.Method, probeURI))
	res, err := f.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswerHead)
	if !f.c.keys.verifyAnswer(res.Header.Get(probeAnswer), said) {
		return fmt.Errorf("%w, with status %d", errOther, res.StatusCode)
	}
	return nil
}

// CheckReachable returns an error if a process cannot be reached at its address.
func (c *Cluster) CheckReachable(context.Context) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.peers {
		if p.unreachable() {
			return fmt.Errorf("process %s cannot be reached at %s", p.id, p.url)
		}
	}
	return nil
}
