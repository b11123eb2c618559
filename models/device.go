package models

import "time"

// A Device is a browser or app of a user that opened a socket. Its ID is the one that
// the client sends, or is derived from the token if it sends none.
type Device struct {
	ID        string
	Client    string // browser and system, as auth.ClientName; "" if not recognised
	FirstSeen time.Time
	LastSeen  time.Time // when it last connected or disconnected
}

// A LoginSession is a token of a user that was used and has not expired.
type LoginSession struct {
	Key       string // of the token in the list of signed-out tokens
	Client    string // browser and system, as of Device
	FirstSeen time.Time
	LastSeen  time.Time // rounded to the hour for a token without a live connection
	ExpiresAt time.Time
	Devices   []string // IDs of devices that opened a socket with it
}

// A DeviceToken records that a device used a token, so that signing out the device
// revokes it.
type DeviceToken struct {
	UserID    string
	DeviceID  string    // "" for the token itself, whichever device uses it
	Key       string    // of the token in the list of signed-out tokens
	ExpiresAt time.Time // the row is of no use from then on
	Client    string    // browser and system, as of Device

	Generation int64 // of the token, as in Credential
}
