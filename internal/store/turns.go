package store

import (
	"context"
	"sync"
)

// turns lets the writers of one user wait for each other before they take a
// connection: their transactions are serial anyway, and a busy user would else
// hold every connection of PostgreSQL's pool, all but one in vain.
type turns struct {
	mu sync.Mutex
	of map[string]*turn
}

type turn struct {
	free  chan struct{} // holds a token while it is somebody's turn
	users int           // who has it or waits for it; under turns.mu
}

// enter waits for the user's turn, in order of arrival.
func (t *turns) enter(ctx context.Context, userID string) (leave func(), err error) {
	mine := t.join(userID)
	select {
	case mine.free <- struct{}{}:
		return func() { <-mine.free; t.quit(userID, mine) }, nil
	case <-ctx.Done():
		t.quit(userID, mine)
		return nil, unavailable(ctx.Err())
	}
}

// enterAll waits for the turns of users, which are in order, so that no two wait
// for each other.
func (t *turns) enterAll(ctx context.Context, users []string) (leave func(), err error) {
	if len(users) == 1 {
		return t.enter(ctx, users[0])
	}
	var left []func()
	leave = func() {
		for _, leave := range left {
			leave()
		}
	}
	for _, userID := range users {
		one, err := t.enter(ctx, userID)
		if err != nil {
			leave()
			return nil, err
		}
		left = append(left, one)
	}
	return leave, nil
}

func (t *turns) join(userID string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.of[userID]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		t.of[userID] = mine
	}
	mine.users++
	return mine
}

func (t *turns) quit(userID string, mine *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if mine.users--; mine.users == 0 {
		delete(t.of, userID)
	}
}
