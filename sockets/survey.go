package sockets

import (
	"cmp"
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// surveyTime is how long the other processes have to answer.
const surveyTime = time.Second

// surveyHinted asks every process how many sockets and users it has; answerHinted answers.
type (
	surveyHinted struct{ ID string }
	answerHinted struct {
		ID             string
		Sockets, Users int
	}
)

// A survey asks all processes who is connected. It answers with what came in time and names
// who did not answer; it never fails because a process is gone. Its methods may be called
// concurrently.
type survey struct {
	cluster *Cluster // nil if this is the only process

	mu     sync.Mutex
	others []string // the other living processes
	open   map[string]*openSurvey
}

// An openSurvey waits for answers.
type openSurvey struct {
	answers  []wire.ProcessConnections
	missing  map[string]struct{}
	complete chan struct{} // closed when nobody is missing any more
}

func newSurvey(c *Cluster) *survey { return &survey{cluster: c, open: make(map[string]*openSurvey)} }

// expect notes which other processes there are.
func (s *survey) expect(others map[string]models.PresenceVersion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.others = s.others[:0]
	for id, v := range others {
		if !v.Ended {
			s.others = append(s.others, id)
		}
	}
}

// ask returns who is connected: to this process, which has that many sockets and users,
// and to the others.
func (s *survey) ask(ctx context.Context, sockets, users int) wire.Connections {
	if s.cluster == nil {
		return wire.NewConnections([]wire.ProcessConnections{{Sockets: sockets, Users: users}}, nil)
	}
	id, o := rand.Text(), s.begin()
	s.mu.Lock()
	s.open[id] = o
	s.mu.Unlock()
	s.cluster.Publish(surveyHint, surveyHinted{id})
	select {
	case <-o.complete:
	case <-ctx.Done():
	case <-time.After(surveyTime):
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
	all := append(o.answers, wire.ProcessConnections{ID: s.cluster.Process, Sockets: sockets, Users: users})
	slices.SortFunc(all, func(a, b wire.ProcessConnections) int { return cmp.Compare(a.ID, b.ID) })
	return wire.NewConnections(all, slices.Sorted(maps.Keys(o.missing)))
}

func (s *survey) begin() *openSurvey {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &openSurvey{missing: make(map[string]struct{}), complete: make(chan struct{})}
	for _, id := range s.others {
		o.missing[id] = struct{}{}
	}
	if len(o.missing) == 0 {
		close(o.complete)
	}
	return o
}

// answer answers the survey of another process.
func (s *survey) answer(q surveyHinted, sockets, users int) {
	s.cluster.Publish(answerHint, answerHinted{q.ID, sockets, users})
}

// take takes an answer. One that is late, doubled or to the survey of a third process is
// ignored.
func (s *survey) take(from string, a answerHinted) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[a.ID]
	if o == nil {
		return
	}
	if _, awaited := o.missing[from]; !awaited {
		return
	}
	delete(o.missing, from)
	o.answers = append(o.answers, wire.ProcessConnections{ID: from, Sockets: a.Sockets, Users: a.Users})
	if len(o.missing) == 0 {
		close(o.complete)
	}
}
