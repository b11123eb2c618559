package app

import "expenseflow/sockets"

// signOuts are the sockets as HTTP sees them: a sign-out, which is in the user's log, closes
// sockets here at once, and in the other processes as soon as they are told to look.
type signOuts struct {
	*sockets.Hub
	wake func(userID string)
}

// SignOut implements what handlers call after a sign-out was stored.
func (s signOuts) SignOut(userID, key string) {
	s.Hub.SignOut(userID, key)
	s.wake(userID)
}
