package models

import "time"

// A Device is a browser or app of a user that opened a socket. It is named as it
// names itself; one that does not is named after its token.
type Device struct {
	ID        string
	FirstSeen time.Time
	LastSeen  time.Time // when its first socket came or its last one went, whichever was later
}

// A Session is a token of a user, from its first use to its end.
type Session struct {
	Key       string // names the token among sign-outs
	FirstSeen time.Time
	LastSeen  time.Time // to the hour, for a token without a live connection
	ExpiresAt time.Time
	Devices   []string // that opened a socket with it
}

// A DeviceToken is a token that a device used, so that signing the device out can
// refuse it.
type DeviceToken struct {
	UserID    string
	DeviceID  string    // "" for the token itself, whichever device uses it
	Key       string    // names the token among sign-outs
	ExpiresAt time.Time // from then on nobody needs to refuse it
}
