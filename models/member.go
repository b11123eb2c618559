package models

import "time"

// ProcessDeadAfter is for how long a process that shares the database counts as living
// without a heartbeat, by the clock of the database's server.
const ProcessDeadAfter = 10 * time.Second

// A Member is a server process that shares its database with others.
type Member struct {
	ID string // random for each start of a process
	// Generation grows whenever the others may have taken the process for dead: what it
	// stored for them under an earlier one does not count any more. 0 is none yet.
	Generation int64
	URL        string // where the other processes reach it
	Version    string // of the program
	Secret     string // fingerprints of the secrets by which processes of one cluster know each other
	Draining   bool   // it is shutting down
}

// A MoveCursor is a position in the stream of users whose change logs have moved. The zero
// MoveCursor is before everything.
type MoveCursor struct {
	Origin     string // what the position is of; one of another origin means nothing here
	Generation int64  // of the process's row among the members when the position was read; 0 for none
	Position   string
}
