package sockets

import (
	"context"
	"sync"
)

// members knows the sessions of each user that are open or being opened.
type members struct {
	limit int // sessions of one user; 0 is no limit

	mu       sync.Mutex
	byUser   map[string]map[*session]struct{}
	count    int
	signOuts int64     // how often signOut was called
	none     sync.Cond // told when the last session goes
}

func newMembers(limit int) *members {
	m := &members{limit: limit, byUser: make(map[string]map[*session]struct{})}
	m.none.L = &m.mu
	return m
}

// moment is a point in time between sign-outs. Take it before asking whether a
// token is still good, and give it to add.
func (m *members) moment() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.signOuts
}

// An admission is what add decided.
type admission uint8

const (
	admitted  admission = iota
	crowded             // the user has too many
	overtaken           // somebody signed out since the moment: ask for the token again
)

// add admits a session whose token was found good after the moment. claimed is the
// private session id that it comes back with, "" for none: those that have it count
// no more, for it takes their place. A line may have broken without a word.
func (m *members) add(s *session, since int64, claimed string) admission {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.signOuts != since {
		return overtaken
	}
	of := m.byUser[s.userID]
	if m.limit > 0 && len(of)-replaced(of, claimed) >= m.limit {
		return crowded
	}
	if of == nil {
		of = make(map[*session]struct{}, 1)
		m.byUser[s.userID] = of
	}
	of[s] = struct{}{}
	m.count++
	return admitted
}

// replaced is how many sessions have a private session id.
func replaced(of map[*session]struct{}, pid string) (n int) {
	for s := range of {
		if pid != "" && s.pid == pid {
			n++
		}
	}
	return n
}

// name notes the private session id that a session was given.
func (m *members) name(s *session, pid string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.pid = pid
}

// remove forgets a session. Once is enough, more do no harm.
func (m *members) remove(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	of := m.byUser[s.userID]
	if _, known := of[s]; !known {
		return
	}
	m.count--
	delete(of, s)
	if len(of) == 0 {
		delete(m.byUser, s.userID)
	}
	if m.count == 0 {
		m.none.Broadcast()
	}
}

// await waits until there are no sessions: those of sockets that never came into
// being end a moment after their connection.
func (m *members) await(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.none.Broadcast()
	})
	defer stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for m.count > 0 && ctx.Err() == nil {
		m.none.Wait()
	}
	return ctx.Err()
}

// signOut gives the user's sessions of the token of that key, all of them if
// key is "". Sessions that are being opened meanwhile find themselves overtaken.
func (m *members) signOut(userID, key string) []*session {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signOuts++
	var out []*session
	for s := range m.byUser[userID] {
		if key == "" || s.key == key {
			out = append(out, s)
		}
	}
	return out
}

// all are the sessions that are open or being opened.
func (m *members) all() (all []*session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, of := range m.byUser {
		for s := range of {
			all = append(all, s)
		}
	}
	return all
}

func (m *members) len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}
