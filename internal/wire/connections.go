package wire

// Connections is the answer of GET /api/admin/connections: who is connected.
type Connections struct {
	Sockets   int                  `json:"sockets"`
	Users     int                  `json:"users"` // one with sockets in two processes counts twice
	Processes []ProcessConnections `json:"processes"`
	Missing   []string             `json:"missing"` // processes that did not answer in time
}

// A ProcessConnections is who is connected to one process.
type ProcessConnections struct {
	ID      string `json:"id,omitempty"` // absent if there is only one process
	Sockets int    `json:"sockets"`
	Users   int    `json:"users"`
}

// NewConnections returns the document of the answers of processes.
func NewConnections(processes []ProcessConnections, missing []string) Connections {
	c := Connections{Processes: processes, Missing: append([]string{}, missing...)}
	for _, p := range processes {
		c.Sockets += p.Sockets
		c.Users += p.Users
	}
	return c
}
