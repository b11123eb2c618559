package sockets

import (
	"slices"
	"sync/atomic"
)

// A sessionState is how far the life of a session has come.
//
//	state      meaning                                              next
//	admitted   the token is valid; nothing is sent yet              following, ended, revoked
//	following  receives the changes of its user's log               current, ended, revoked
//	current    was sent every state; its device counts as present   lagging, ended, revoked
//	lagging    a state was dropped because its queue was full       current, ended, revoked
//	ended      the socket has gone                                  revoked
//	revoked    the token was signed out; the socket is being
//	           closed, or has gone                                  none
//
// A session that has ended can still become revoked: its device may be within its
// grace period, and the device of a token that was signed out is not recorded again.
type sessionState uint32

const (
	admitted sessionState = iota
	following
	current
	lagging
	ended
	revoked
)

// transitions are the states that each state may become. No other transition happens.
var transitions = [...][]sessionState{
	admitted:  {following, ended, revoked},
	following: {current, ended, revoked},
	current:   {lagging, ended, revoked},
	lagging:   {current, ended, revoked},
	ended:     {revoked},
	revoked:   {},
}

// A lifecycle is the state of a session. The zero lifecycle is admitted. Its methods
// may be called concurrently.
//
// Each component that keeps something for a session checks over under its own lock
// before it does so, and removes it under the same lock after the session was over.
// So nothing is kept for a session that has ended, whichever of the two comes first.
type lifecycle struct{ state atomic.Uint32 }

// move makes the state to if it is from, and reports whether it did. It never does
// what the table does not allow.
func (l *lifecycle) move(from, to sessionState) bool {
	return slices.Contains(transitions[from], to) && l.state.CompareAndSwap(uint32(from), uint32(to))
}

// finish makes the state ended or revoked, and reports whether it did.
func (l *lifecycle) finish(to sessionState) bool {
	for {
		from := l.get()
		if !slices.Contains(transitions[from], to) {
			return false
		}
		if l.move(from, to) {
			return true
		}
	}
}

func (l *lifecycle) get() sessionState { return sessionState(l.state.Load()) }

// over reports whether the session has ended or is being closed.
func (l *lifecycle) over() bool { return l.get() >= ended }
