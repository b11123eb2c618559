package models

import "time"

// A Present is a device that is present in a process: of its user, or in the room of an
// expense.
type Present struct {
	Room             string // "user:" and the user's id, or "expense:" and the expense's
	UserID, UserName string // the name only in the room of an expense
	DeviceID         string
	Since            time.Time
	Sockets          int // about how many sockets it has, of those in the user's own room; see sockets.peers
}

// A PresenceVersion counts how often a process has stored who is present in it. Each
// generation of the process (Member.Generation) begins anew at 0.
type PresenceVersion struct {
	Generation, Version int64
	Ended               bool // the process has left; its devices still count for a moment
}

// Peers is what the processes of a cluster know of each other at one moment.
type Peers struct {
	// Member reports whether the process that asks counts as living itself. If it does not,
	// the rest means little: after a crash of the database nobody does for a moment.
	Member bool
	Others map[string]PresenceVersion // the other living processes, by id

	StatusVersion int64  // grows with each stored status; 0: there is none
	Status        string // what SetStatus stored last
}
