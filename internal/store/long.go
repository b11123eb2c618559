package store

import (
	"context"
	"errors"
	"time"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

// A long read is one that takes more than a few milliseconds: whole lists, pages far
// down in them, dashboards of years. On SQLite they have connections of their own, on
// PostgreSQL half of the pool, so that authentication and short reads never wait behind
// them; and each user has a few of them at a time, so that other users do not either.
const (
	longPerUser = 2
	longWaiting = 64               // of all users
	longWait    = 30 * time.Second // for a place
	// restPerRow is how long a place stays its user's after the read, for each row: about
	// as long as reading it took. So one user's reads keep half of the processors at most.
	restPerRow = 20 * time.Microsecond
	// skipsPerRow is how many entries of an index are skipped in the time of one row.
	skipsPerRow = 20
)

func newLongReads(places int) *fair.Pool {
	return fair.New(fair.Options{Capacity: int64(places), PerKey: longPerUser, Waiting: longWaiting})
}

// longRead waits for a place for a long read of a user. done gives it back, and is told
// how many rows were read. The error is models.Unavailable.
func (s *Store) longRead(ctx context.Context, userID string) (done func(rows int64), err error) {
	waiting, cancel := context.WithTimeout(ctx, longWait)
	defer cancel()
	switch err := s.longReads.Acquire(waiting, userID, 1); {
	case ctx.Err() != nil:
		if err == nil {
			s.longReads.Release(userID, 1)
		}
		return nil, unavailable(ctx.Err())
	case err != nil:
		return nil, &models.Error{
			Kind: models.Unavailable, Code: "LONG_READ_LIMIT", Msg: "Too many long lists are being read at once, please try again",
			RetryAfter: 5 * time.Second, Err: err,
		}
	}
	return func(rows int64) {
		free := func() { s.longReads.Release(userID, 1) }
		if rest := time.Duration(rows) * restPerRow; rest >= time.Millisecond {
			time.AfterFunc(rest, free)
		} else {
			free()
		}
	}, nil
}

// counts are how many expenses the user owns, and how many of others they have; none
// for a user who is not there.
func (s *Store) counts(ctx context.Context, userID string) (own, shared int64, err error) {
	query := "SELECT expenses, CASE WHEN received = 0 THEN 0 ELSE " +
		"(SELECT COUNT(*) FROM shares WHERE user_id = users.id AND role <> '') END FROM users WHERE id = ?"
	err = s.one(ctx, s.r, query, []any{userID}, &own, &shared)
	if models.KindOf(err) == models.NotFound {
		err = nil
	}
	return own, shared, err
}

// isShort reports whether what the user has fits into one chunk of a stream.
func (s *Store) isShort(ctx context.Context, userID string) (bool, error) {
	own, shared, err := s.counts(ctx, userID)
	return own+shared <= streamChunk, err
}

// isShortAfter reports whether what was stored for the user after a moment fits into
// one chunk. It looks at no more than that.
func (s *Store) isShortAfter(ctx context.Context, userID string, millis int64) (bool, error) {
	_, shared, err := s.counts(ctx, userID)
	if err != nil || shared > streamChunk {
		return false, err
	}
	var own int64
	query := "SELECT COUNT(*) FROM (SELECT 1 FROM expenses WHERE user_id = ? AND last_synced_at > ? LIMIT ?) e"
	err = s.one(ctx, s.r, query, []any{userID, millis, streamChunk + 1}, &own)
	return own+shared <= streamChunk, err
}

// stream hands out rows as EachExpense promises. A short result takes no longer than
// any other look, and waits for nobody.
func (s *Store) stream(ctx context.Context, userID string, short bool, query string, args []any, scan func(scanner) (models.Expense, error), fn func(models.Expense) error) error {
	c := chunk{scan: scan, fn: fn}
	from := s.r
	if !short {
		done, err := s.longRead(ctx, userID)
		if err != nil {
			return err
		}
		defer func() { done(c.read) }()
		from = s.long
	}
	err := s.rows(ctx, from, query, args, c.add)
	if c.err != nil {
		return c.err
	}
	if err != nil {
		return err
	}
	return c.hand()
}

// A chunk collects rows for fn. It keeps fn's own error from being taken for the
// database's.
type chunk struct {
	scan func(scanner) (models.Expense, error)
	fn   func(models.Expense) error
	rows []models.Expense
	read int64
	err  error
}

func (c *chunk) add(row scanner) error {
	e, err := c.scan(row)
	if err != nil {
		return err
	}
	c.read++
	if c.rows = append(c.rows, e); len(c.rows) < streamChunk {
		return nil
	}
	return c.hand()
}

func (c *chunk) hand() error {
	for _, e := range c.rows {
		if c.err = c.fn(e); c.err != nil {
			return c.err
		}
	}
	c.rows = c.rows[:0]
	return nil
}

// errLong ends a read whose result is as long as its reader wants it.
var errLong = errors.New("the result is longer than a chunk")

// shallow is how far down in a list a page ends that is read like any other.
const shallow = 1_000

// Expenses is one page of what EachExpense gives, from page 1, and how many there are
// in all. A page far down is a long read; its rows are found in an index alone.
func (s *Store) Expenses(ctx context.Context, userID string, page, limit int) (_ []models.Expense, total int64, err error) {
	own, shared, err := s.counts(ctx, userID)
	total = own + shared
	offset := (int64(page) - 1) * int64(limit)
	if err != nil || offset < 0 || offset >= total {
		return []models.Expense{}, total, err
	}
	from := s.r
	if end := offset + int64(limit); end > shallow {
		done, err := s.longRead(ctx, userID)
		if err != nil {
			return nil, 0, err
		}
		defer done(int64(limit) + offset/skipsPerRow)
		from = s.long
	}
	expenses := []models.Expense{}
	query, args := pageOfMine(userID, limit, offset, shared > 0)
	err = s.rows(ctx, from, query, args, func(row scanner) error {
		e, err := scanView(row)
		expenses = append(expenses, e)
		return err
	})
	return expenses, total, err
}

// pageOfMine is a page of mine, newest first. Which rows are on it is read from the
// index that lists are sorted by, each half cut where the page ends; CROSS JOIN keeps
// SQLite's planner from reading the user's expenses to see which are among them.
func pageOfMine(userID string, limit int, offset int64, shared bool) (query string, params []any) {
	const first = " ORDER BY e.date DESC, e.id DESC LIMIT ?"
	keys, end := "SELECT e.id AS place FROM expenses e WHERE e.user_id = ?"+first+" OFFSET ?", offset+int64(limit)
	params = []any{userID, limit, offset}
	if shared {
		keys = "SELECT k.id AS place FROM (SELECT * FROM (SELECT e.id, e.date FROM expenses e WHERE e.user_id = ?" + first + ") o " +
			"UNION ALL SELECT * FROM (SELECT e.id, e.date FROM shares s JOIN expenses e ON e.id = s.expense_id WHERE s.user_id = ? AND s.role <> ''" + first + ") r) k " +
			"ORDER BY k.date DESC, k.id DESC LIMIT ? OFFSET ?"
		params = []any{userID, end, userID, end, limit, offset}
	}
	query = "WITH page AS MATERIALIZED (" + keys + ") " +
		"SELECT " + expenseTable.namesOf("e") + ", '' AS role, '' AS shared_by FROM page p CROSS JOIN expenses e WHERE e.id = p.place AND e.user_id = ?"
	params = append(params, userID)
	if shared {
		query += " UNION ALL SELECT " + expenseTable.namesOf("e") + ", s.role, u.name AS shared_by FROM page p CROSS JOIN expenses e " +
			"JOIN shares s ON s.expense_id = e.id JOIN users u ON u.id = e.user_id WHERE e.id = p.place AND s.user_id = ? AND s.role <> ''"
		params = append(params, userID)
	}
	return query + newestFirst, params
}
