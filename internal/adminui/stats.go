package adminui

import (
	"os"
	"time"

	"expenseflow/internal/engineio"
)

// serverStats is the payload of server_stats, which the page shows for each server.
type serverStats struct {
	ServerID   string           `json:"serverId"`
	Hostname   string           `json:"hostname"`
	PID        int              `json:"pid"`
	Uptime     float64          `json:"uptime"` // seconds
	Clients    int64            `json:"clientsCount"`
	Polling    int64            `json:"pollingClientsCount"`
	Aggregated []aggregated     `json:"aggregatedEvents"`
	Namespaces []namespaceCount `json:"namespaces"`
}

type namespaceCount struct {
	Name    string `json:"name"`
	Sockets int    `json:"socketsCount"`
}

// An aggregated is how often something happened in a second.
type aggregated struct {
	Timestamp int64  `json:"timestamp"` // ms since 1970, on a whole second
	Type      string `json:"type"`
	SubType   string `json:"subType,omitempty"`
	Count     int64  `json:"count"`
}

// started is when the process did.
var started = time.Now()

// stats returns the figures of this process, and empties the sampler.
func (u *UI) stats() serverStats {
	engine := u.opts.IO.Engine().Stats()
	host, _ := os.Hostname() // "" where it cannot be found out
	s := serverStats{
		ServerID: u.opts.Process, Hostname: host, PID: os.Getpid(), Uptime: time.Since(started).Seconds(),
		Clients: engine.Polling + engine.WebSocket, Polling: engine.Polling, Aggregated: u.sampler.take(),
	}
	for _, n := range u.opts.IO.Namespaces() {
		s.Namespaces = append(s.Namespaces, namespaceCount{n.Name(), n.Len()})
	}
	return s
}

// A sampler makes aggregated events of the engine's counters, once a second.
type sampler struct {
	last engineio.Stats
	list []aggregated
}

// begin forgets what happened before.
func (s *sampler) begin(now engineio.Stats) { s.last, s.list = now, nil }

// maxSamples bounds the list while nobody takes it: it is taken every two seconds.
const maxSamples = 100

// sample adds what happened since the last sample.
func (s *sampler) sample(now engineio.Stats, at time.Time) {
	was := s.last
	s.last = now
	slow, timeouts := now.Slow-was.Slow, now.PingTimeouts-was.PingTimeouts
	for _, a := range []aggregated{
		{Type: "rawConnection", Count: now.Opened - was.Opened},
		{Type: "rawDisconnection", SubType: string(engineio.ReasonSlow), Count: slow},
		{Type: "rawDisconnection", SubType: string(engineio.ReasonPingTimeout), Count: timeouts},
		{Type: "rawDisconnection", SubType: "other", Count: now.Closed - was.Closed - slow - timeouts},
		{Type: "packetsIn", Count: now.MessagesIn - was.MessagesIn},
		{Type: "bytesIn", Count: now.BytesIn - was.BytesIn},
		{Type: "bytesOut", Count: now.BytesOut - was.BytesOut},
	} {
		if a.Count > 0 && len(s.list) < maxSamples {
			a.Timestamp = at.Truncate(time.Second).UnixMilli()
			s.list = append(s.list, a)
		}
	}
}

// take returns the samples and forgets them.
func (s *sampler) take() []aggregated {
	list := s.list
	s.list = nil
	if list == nil {
		list = []aggregated{}
	}
	return list
}
