package wire

import "encoding/json"

// A ServerOverview is the answer of GET /api/admin/overview: how this process is doing. It
// has no content of users: no amount, description or token.
type ServerOverview struct {
	At        Time             `json:"at"`
	Process   ProcessFigures   `json:"process"`
	Sockets   SocketFigures    `json:"sockets"`
	Connected Connections      `json:"connected"` // of all processes
	Parked    *int64           `json:"parked"`    // operations of all users; null while the database does not answer
	Logs      LogFigures       `json:"logs"`
	Hints     *HintFigures     `json:"hints"`     // null without other processes
	Processes *ClusterFigures  `json:"processes"` // null on SQLite
	Database  DatabaseFigures  `json:"database"`
	AdminUI   *AdminUIFigures  `json:"adminUI"` // null without ADMIN_PASSWORD
	Errors    []RecentlyLogged `json:"lastErrors"`
}

// ProcessFigures are of the process itself.
type ProcessFigures struct {
	ID         string `json:"id,omitempty"` // absent if there is only one process
	Version    string `json:"version"`
	Host       string `json:"host"`
	PID        int    `json:"pid"`
	Started    Time   `json:"startedAt"`
	Draining   bool   `json:"draining"`
	Goroutines int    `json:"goroutines"`
	HeapBytes  uint64 `json:"heapBytes"`
}

// SocketFigures are of the connections to this process.
type SocketFigures struct {
	Open         int   `json:"open"` // of signed-in users
	Users        int   `json:"users"`
	Polling      int64 `json:"polling"` // connections
	WebSocket    int64 `json:"websocket"`
	Slow         int   `json:"slow"` // whose queue is full, so that they read the log later
	Opened       int64 `json:"opened"`
	Closed       int64 `json:"closed"`
	ClosedSlow   int64 `json:"closedSlow"`
	PingTimeouts int64 `json:"pingTimeouts"`
	Refused      int64 `json:"refused"`
}

// LogFigures are of following the users' change logs.
type LogFigures struct {
	Epoch            string `json:"epoch"`
	Position         string `json:"position"` // up to which this process has read whose logs have moved
	Followed         int    `json:"followed"`
	Queued           int    `json:"queued"` // logs that wait to be read
	Comparisons      int64  `json:"comparisons"`
	ComparisonsFound int64  `json:"comparisonsFound"`
}

// HintFigures are of the hints between processes.
type HintFigures struct {
	Up       bool             `json:"up"`
	Senders  int              `json:"senders"`
	Sent     int64            `json:"sent"`
	Received int64            `json:"received"`
	Gaps     int64            `json:"gaps"`
	Dropped  map[string]int64 `json:"dropped"` // by reason
}

// ClusterFigures are of the other processes.
type ClusterFigures struct {
	Others         int64 `json:"others"`
	Unreachable    int64 `json:"unreachable"`
	Forwarded      int64 `json:"forwarded"`
	ForwardsFailed int64 `json:"forwardsFailed"`
}

// DatabaseFigures are of the connections to the database.
type DatabaseFigures struct {
	Kind        string  `json:"kind"` // "sqlite" or "postgres"
	Max         int     `json:"maxConnections"`
	Open        int     `json:"open"`
	InUse       int     `json:"inUse"`
	Idle        int     `json:"idle"`
	Waits       int64   `json:"waits"`
	WaitSeconds float64 `json:"waitSeconds"`
}

// AdminUIFigures are of those who look at this process with the Admin UI.
type AdminUIFigures struct {
	Admins  int   `json:"admins"`
	Refused int64 `json:"refused"` // sign-ins
	Dropped int64 `json:"dropped"` // events that were not shown
}

// A RecentlyLogged is an error of this process's log.
type RecentlyLogged struct {
	At      Time              `json:"at"`
	Message string            `json:"message"`
	Attrs   map[string]string `json:"attrs"`
}

// MarshalJSON makes lists that are empty arrays.
func (o ServerOverview) MarshalJSON() ([]byte, error) {
	type plain ServerOverview
	if o.Errors == nil {
		o.Errors = []RecentlyLogged{}
	}
	return json.Marshal(plain(o))
}
