package socketio

import "sync/atomic"

// Other is what is counted under no name of its own: events that CountEvents does not name,
// and what happened in namespaces that do not exist.
const Other = "other"

// NamespaceStats count what has happened in one namespace since it was made. What clients
// send makes no new names.
type NamespaceStats struct {
	Name        string
	Connected   int64 // sockets now
	Connects    int64
	Disconnects int64
	Errors      int64 // CONNECTs that were refused or failed, and handlers that panicked; of Other also broken packets

	// Received are the events from clients, Sent those to clients, for each socket as they
	// were queued; Other is the last of each.
	Received, Sent []EventStats
}

// EventStats count the events of one name, and the bytes of their arguments.
type EventStats struct {
	Name         string
	Count, Bytes int64
}

// An eventCount counts the events of one name in one direction.
type eventCount struct {
	owner        *eventCounts
	name         string
	count, bytes atomic.Int64
}

func (c *eventCount) add(bytes int) {
	c.count.Add(1)
	c.bytes.Add(int64(bytes))
}

// eventCounts count the events of one direction. They do not change once the server is
// reachable.
type eventCounts struct {
	list   []*eventCount // the last is Other
	byName map[string]*eventCount
}

// name names the events that are counted by themselves.
func (c *eventCounts) name(names []string) {
	c.list, c.byName = nil, make(map[string]*eventCount, len(names))
	for _, name := range names {
		if c.byName[name] == nil && name != Other {
			c.byName[name] = &eventCount{owner: c, name: name}
			c.list = append(c.list, c.byName[name])
		}
	}
	c.list = append(c.list, &eventCount{owner: c, name: Other})
}

func (c *eventCounts) of(event string) *eventCount {
	if count := c.byName[event]; count != nil {
		return count
	}
	return c.list[len(c.list)-1]
}

func (c *eventCounts) stats() []EventStats {
	all := make([]EventStats, len(c.list))
	for i, e := range c.list {
		all[i] = EventStats{e.name, e.count.Load(), e.bytes.Load()}
	}
	return all
}

// counts are what NamespaceStats are made of.
type counts struct {
	connects, disconnects, errors atomic.Int64

	received, sent eventCounts
}

// CountEvents names the events from clients and those to clients that are counted by
// themselves. Call it before the server is reachable.
func (n *Namespace) CountEvents(received, sent []string) {
	n.counts.received.name(received)
	n.counts.sent.name(sent)
}

// countSent counts one sending of p. A packet that is sent to many keeps its counter.
func (n *Namespace) countSent(p *Packet) {
	c := p.count.Load()
	if c == nil || c.owner != &n.counts.sent {
		c = n.counts.sent.of(p.event)
		p.count.Store(c)
	}
	c.add(p.size)
}

// countError counts an error in a namespace, which may not exist.
func (s *Server) countError(nsp string) {
	if n := s.namespace(nsp); n != nil {
		n.counts.errors.Add(1)
	} else {
		s.errors.Add(1)
	}
}

// Stats returns the counters of all namespaces, and last those of Other, which has errors
// alone. Each counter is exact, but they are not read at the same instant.
func (s *Server) Stats() []NamespaceStats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := make([]NamespaceStats, 0, len(s.namespaces)+1)
	for _, n := range s.namespaces {
		all = append(all, n.stats())
	}
	return append(all, NamespaceStats{Name: Other, Errors: s.errors.Load()})
}

func (n *Namespace) stats() NamespaceStats {
	n.mu.Lock()
	connected := len(n.sockets)
	n.mu.Unlock()
	c := &n.counts
	return NamespaceStats{
		Name: n.name, Connected: int64(connected),
		Connects: c.connects.Load(), Disconnects: c.disconnects.Load(), Errors: c.errors.Load(),
		Received: c.received.stats(), Sent: c.sent.stats(),
	}
}
