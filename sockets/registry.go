package sockets

import (
	"context"
	"slices"
	"sync"
)

// A sessionRegistry has the sessions of all users that are open or being opened. Its
// methods may be called concurrently.
//
// No session outlives a sign-out: one whose token was checked before a sign-out is not
// added after it, and one that was added before it is found by signOut.
type sessionRegistry struct {
	limit     int                     // sessions of one user; 0 is no limit
	elsewhere func(userID string) int // about how many of them are in other processes

	mu       sync.Mutex
	byUser   map[string][]*session // lists, since most users have one or two
	count    int
	signOuts int64     // how often signOut was called
	empty    sync.Cond // signalled when the last session is removed
}

func newSessionRegistry(limit int) *sessionRegistry {
	r := &sessionRegistry{limit: limit, byUser: make(map[string][]*session)}
	r.elsewhere = func(string) int { return 0 }
	r.empty.L = &r.mu
	return r
}

// signOutEpoch counts the sign-outs so far. Read it before a token is checked, and
// pass it to add.
func (r *sessionRegistry) signOutEpoch() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.signOuts
}

// A registration is the result of add and of replaceToken.
type registration uint8

const (
	registered       registration = iota
	overLimit                     // the user has too many sessions
	signOutMeanwhile              // there was a sign-out since the epoch: check the token again
)

// add adds a session whose token was found valid after the epoch. pid is the private
// session id that its client claims, "" for none: the sessions that have it are not
// counted, because this one takes their place. The server may not have noticed yet that
// their connections are dead. With a pid, sessions in other processes are not counted
// either: it may come from there, and to be refused is for good.
func (r *sessionRegistry) add(s *session, epoch int64, pid string) registration {
	elsewhere := 0
	if r.limit > 0 && pid == "" {
		elsewhere = r.elsewhere(s.userID)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signOuts != epoch {
		return signOutMeanwhile
	}
	of := r.byUser[s.userID]
	if r.limit > 0 && len(of)-countPID(of, pid)+elsewhere >= r.limit {
		return overLimit
	}
	r.byUser[s.userID] = append(of, s)
	r.count++
	return registered
}

// countPID counts the sessions with a private session id.
func countPID(of []*session, pid string) (n int) {
	if pid == "" {
		return 0
	}
	for _, s := range of {
		if own := s.pid.Load(); own != nil && *own == pid {
			n++
		}
	}
	return n
}

// replaceToken gives a session another token of its user, which was found valid after the
// epoch.
func (r *sessionRegistry) replaceToken(s *session, token *sessionToken, epoch int64) registration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signOuts != epoch {
		return signOutMeanwhile
	}
	s.token.Store(token)
	return registered
}

// remove removes a session. It may be called more than once.
func (r *sessionRegistry) remove(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.byUser[s.userID]
	i := slices.Index(of, s)
	if i < 0 {
		return
	}
	r.count--
	if r.byUser[s.userID] = slices.Delete(of, i, i+1); len(of) == 1 {
		delete(r.byUser, s.userID)
	}
	if r.count == 0 {
		r.empty.Broadcast()
	}
}

// wait waits until there are no sessions. Those of sockets that never connected are
// removed a moment after their connection has ended.
func (r *sessionRegistry) wait(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.empty.Broadcast()
	})
	defer stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.count > 0 && ctx.Err() == nil {
		r.empty.Wait()
	}
	return ctx.Err()
}

// signOut returns the sessions of the user's token with that key, and all sessions of
// the user if key is "". A session that is being opened meanwhile is not added: add
// returns signOutMeanwhile.
func (r *sessionRegistry) signOut(userID, key string) []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.signOuts++
	var out []*session
	for _, s := range r.byUser[userID] {
		if key == "" || s.token.Load().credential.Key == key {
			out = append(out, s)
		}
	}
	return out
}

// of returns the sessions of a user.
func (r *sessionRegistry) of(userID string) []*session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.byUser[userID])
}

// all returns all sessions.
func (r *sessionRegistry) all() (all []*session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, of := range r.byUser {
		all = append(all, of...)
	}
	return all
}

// size returns how many sessions there are, and of how many users.
func (r *sessionRegistry) size() (sessions, users int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, len(r.byUser)
}

func (r *sessionRegistry) len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count
}
