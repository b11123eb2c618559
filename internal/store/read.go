package store

import (
	"context"
	"time"

	"expenseflow/internal/seededbug"
	"expenseflow/models"

	"gorm.io/gorm"
)

// streamChunk is how many rows a stream takes in before it hands them out: a
// result that fits keeps no connection while its reader is slow.
const streamChunk = 256

// mine selects what a user has, own expenses and those that others share with
// them, all in the user's view (scanView). more is a further condition on
// expenses, "e", with parameters args. A user with whom nothing is shared pays a
// look into an index.
func mine(userID, more string, args ...any) (query string, params []any) {
	params = append([]any{userID}, args...)
	return own + more + " UNION ALL " + received + more, append(params, params...)
}

// own and received are the halves of mine.
var (
	own = "SELECT " + expenseTable.namesOf("e") + ", '' AS role, '' AS shared_by FROM expenses e WHERE e.user_id = ?"

	received = "SELECT " + expenseTable.namesOf("e") + ", s.role, u.name AS shared_by FROM shares s " +
		"JOIN expenses e ON e.id = s.expense_id JOIN users u ON u.id = e.user_id WHERE s.user_id = ? AND s.role <> ''"
)

// scanView reads a row of mine.
func scanView(row scanner) (models.Expense, error) {
	var role models.Role
	var by string
	e, err := scanExpense(beside{row, []any{&role, &by}})
	if role != models.NoRole {
		e.Role, e.SharedBy, e.Shares, e.Traces = role, by, 0, false
	}
	return e, err
}

const newestFirst = " ORDER BY date DESC, id DESC"

// EachExpense calls fn with each of the user's expenses as they are at one
// moment, newest date first and then by id downwards, in constant memory. An
// error of fn ends it and is returned as it is.
//
// A reader that is slow holds a connection if the result is long; such reads have a
// few places, which the users share. Short ones wait for nobody.
func (s *Store) EachExpense(ctx context.Context, userID string, fn func(models.Expense) error) error {
	short, err := s.isShort(ctx, userID)
	if err != nil {
		return err
	}
	query, args := mine(userID, "")
	return s.stream(ctx, userID, short, query+newestFirst, args, scanView, fn)
}

// ExpensesSyncedAfter calls fn with each of the user's expenses that was stored
// after t, in the order they were stored. Whoever wants to go on from there
// reads LastSynced first.
func (s *Store) ExpensesSyncedAfter(ctx context.Context, userID string, t time.Time, fn func(models.Expense) error) error {
	short, err := s.isShortAfter(ctx, userID, t.UnixMilli())
	if err != nil {
		return err
	}
	query, args := mine(userID, " AND e.last_synced_at > ?", t.UnixMilli())
	return s.stream(ctx, userID, short, query+" ORDER BY last_synced_at, id", args, scanView, fn)
}

// LastSynced is the newest LastSyncedAt that is committed for this user, and
// the zero-most moment of 1970 if nothing ever was. Every later write gets a
// later one, so it is a safe cursor; the clock is none (docs/contract.md#delta-and-pull).
func (s *Store) LastSynced(ctx context.Context, userID string) (time.Time, error) {
	var at int64
	err := s.ofUser(ctx, "last_synced_at", userID, &at)
	return fromMillis(at), err
}

// ofUser reads columns of a user's row.
func (s *Store) ofUser(ctx context.Context, columns, userID string, dest ...any) error {
	return noUser(s.one(ctx, s.r, "SELECT "+columns+" FROM users WHERE id = ?", []any{userID}, dest...))
}

// ExpenseOf is the expense of this id if the user has it, in their view;
// models.NotFound if there is none, or it is another user's, or no id at all.
func (s *Store) ExpenseOf(ctx context.Context, userID, id string) (models.Expense, error) {
	if !models.ID24(id) {
		return models.Expense{}, errNoExpense
	}
	query, args := mine(userID, " AND e.id = ?", id)
	row := s.r.Statement.ConnPool.QueryRowContext(ctx, s.d.sql(query), args...)
	e, err := scanView(row)
	err = fail(s.d, err)
	if models.KindOf(err) == models.NotFound {
		err = errNoExpense
	}
	return e, err
}

// Snapshot is EachExpense with the sequence of the user's log at that very
// moment.
func (s *Store) Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error) {
	if seq, err = s.Head(ctx, userID); err != nil {
		return 0, err
	}
	for {
		before, rows := seq, 0
		err = s.snapshot(ctx, userID, &seq, func(e models.Expense) error { rows++; return fn(seq, e) })
		if err != nil || rows > 0 {
			return seq, err
		}
		// No row says when nothing was there: it was between two looks at the head, of
		// one moment if they are equal.
		if seq, err = s.Head(ctx, userID); err != nil || seq == before {
			return seq, err
		}
	}
}

// snapshot reads seq beside each row.
func (s *Store) snapshot(ctx context.Context, userID string, seq *int64, fn func(models.Expense) error) error {
	short, err := s.isShort(ctx, userID)
	if err != nil {
		return err
	}
	all, args := mine(userID, "")
	query := "SELECT m.*, (SELECT seq FROM users WHERE id = ?) FROM (" + all + ") m" + newestFirst
	scan := func(row scanner) (models.Expense, error) { return scanView(beside{row, []any{seq}}) }
	return s.stream(ctx, userID, short, query, append([]any{userID}, args...), scan, fn)
}

// beside scans more columns, the last ones.
type beside struct {
	scanner
	last []any
}

func (b beside) Scan(dest ...any) error { return b.scanner.Scan(append(dest, b.last...)...) }

// ErrLogPruned says that the log does not go back that far any more.
var ErrLogPruned = models.E(models.NotFound, "These changes are no longer kept")

// Changes are the entries of the user's log after a sequence, at most limit, in
// order. What the user has no right to any more is not in them (models.
// ExpenseRetracted). ErrLogPruned if the first of them is no longer kept.
func (s *Store) Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	if seededbug.Enabled(seededbug.EmitBeforeCommit) {
		return seededbug.After[models.Change](userID, after, limit), nil
	}
	var changes []models.Change
	query := "SELECT " + changeTable.names() + " FROM changes WHERE user_id = ? AND seq > ? ORDER BY seq LIMIT ?"
	err := s.rows(ctx, s.r, query, []any{userID, after, limit}, func(row scanner) error {
		c, err := scanChange(row)
		changes = append(changes, c)
		return err
	})
	if err == nil && (len(changes) == 0 || changes[0].Seq != after+1) {
		err = s.checkKept(ctx, userID, after)
	}
	if err == nil {
		err = s.retract(ctx, userID, changes)
	}
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// checkKept tells whether the log still holds what follows a sequence.
func (s *Store) checkKept(ctx context.Context, userID string, after int64) error {
	var start int64
	err := s.ofUser(ctx, "log_start", userID, &start)
	if err == nil && after < start {
		return ErrLogPruned
	}
	return err
}

// LogState is where the user's log stands; models.NotFound if the user is gone.
func (s *Store) LogState(ctx context.Context, userID string) (models.LogState, error) {
	var l models.LogState
	var synced int64
	var began string
	columns := "(SELECT value FROM meta WHERE key = 'epoch'), COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), ''), log_start, seq, last_synced_at"
	err := s.ofUser(ctx, columns, userID, &l.Epoch, &began, &l.Start, &l.Head, &synced)
	l.Began, l.SyncedAt, l.ReadAt = parseMoment(began), fromMillis(synced), s.opts.Now()
	if l.SyncedAt.Before(l.Began) {
		l.SyncedAt = l.Began
	}
	return l, err
}

// SeqAt is the newest sequence of the user's log at a moment, false if the log
// holds nothing as old as that. Moments grow with sequences, so it looks at a few
// changes only, however many there are.
func (s *Store) SeqAt(ctx context.Context, userID string, at time.Time) (seq int64, ok bool, err error) {
	var start, head int64
	if err := s.ofUser(ctx, "log_start, seq", userID, &start, &head); err != nil {
		return 0, false, err
	}
	before, after := start, head+1 // the newest one is from before on, and before after
	for after-before > 1 {
		middle := before + (after-before)/2
		var millis int64
		err := s.one(ctx, s.r, "SELECT at FROM changes WHERE user_id = ? AND seq = ?", []any{userID, middle}, &millis)
		switch {
		case models.KindOf(err) == models.NotFound: // pruned meanwhile
			before, start = middle, middle
		case err != nil:
			return 0, false, err
		case millis <= at.UnixMilli():
			before = middle
		default:
			after = middle
		}
	}
	return before, before > start, nil
}

// Head is the sequence of the newest change in the user's log, 0 for none;
// models.NotFound if the user is gone.
func (s *Store) Head(ctx context.Context, userID string) (int64, error) {
	var seq int64
	err := s.ofUser(ctx, "seq", userID, &seq)
	return seq, err
}

// Heads are the heads of many users at once; users that are gone are missing.
func (s *Store) Heads(ctx context.Context, userIDs []string) (map[string]int64, error) {
	heads := make(map[string]int64, len(userIDs))
	query := "SELECT id, seq FROM users WHERE " + s.d.in("id")
	err := s.rows(ctx, s.r, query, []any{s.d.list(userIDs)}, func(row scanner) error {
		var id string
		var seq int64
		err := row.Scan(&id, &seq)
		heads[id] = seq
		return err
	})
	return heads, err
}

// SyncStatus is when an operation of the user's queue was last applied, nil for
// never, and how many wait for a person.
func (s *Store) SyncStatus(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error) {
	var applied int64
	columns := "last_applied_at, (SELECT COUNT(*) FROM operations WHERE user_id = users.id AND state = 'parked')"
	if err := s.ofUser(ctx, columns, userID, &applied, &pending); err != nil {
		return nil, 0, err
	}
	if applied > 0 {
		at := fromMillis(applied)
		lastSync = &at
	}
	return lastSync, pending, nil
}

// A ParkedPlace is where a reader of a user's parked operations stands; the zero
// ParkedPlace is before the first.
type ParkedPlace struct {
	createdAt int64
	id        string
}

// PlaceOf is behind op.
func PlaceOf(op *models.QueuedOperation) ParkedPlace {
	return ParkedPlace{op.CreatedAt.UnixMilli(), op.ID}
}

// parkedRows and parkedBytes are how much EachParked holds in memory, but for a single
// operation that is larger: databases have them from before they had a bound. Up to the
// short ones reading takes no longer than any other look.
const (
	parkedRows       = 200
	parkedBytes      = 1 << 20
	parkedShortRows  = 32
	parkedShortBytes = 64 << 10
)

// EachParked calls fn with each of the user's operations that wait for a person,
// oldest first, without expenses that the user has no right to any more, in constant
// memory. While fn works it holds no connection. An error of fn ends it and is
// returned as it is. If there are many it is a long read.
func (s *Store) EachParked(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error {
	page, more, err := s.parkedPage(ctx, s.r, userID, ParkedPlace{}, parkedShortRows, parkedShortBytes)
	var read int64
	if err == nil && more {
		var done func(int64)
		if done, err = s.longRead(ctx, userID); err == nil {
			defer func() { done(read) }()
		}
	}
	for err == nil && len(page) > 0 {
		for i := range page {
			if err := fn(page[i]); err != nil {
				return err
			}
		}
		if read += int64(len(page)); !more {
			break
		}
		page, more, err = s.parkedPage(ctx, s.long, userID, PlaceOf(&page[len(page)-1]), parkedRows, parkedBytes)
	}
	return err
}

// ParkedPage is what EachParked gives after a place: at most limit operations, and as
// many as hold so many bytes, but at least one; and whether there may be more.
func (s *Store) ParkedPage(ctx context.Context, userID string, after ParkedPlace, limit int, bytes int64) (page []models.QueuedOperation, more bool, err error) {
	page, more, err = s.parkedPage(ctx, s.r, userID, after, min(limit, parkedShortRows), min(bytes, parkedShortBytes))
	if err != nil || !more || limit <= parkedShortRows && bytes <= parkedShortBytes {
		return page, more, err
	}
	done, err := s.longRead(ctx, userID)
	if err != nil {
		return nil, false, err
	}
	defer func() { done(int64(len(page))) }()
	return s.parkedPage(ctx, s.long, userID, after, limit, bytes)
}

func (s *Store) parkedPage(ctx context.Context, from *gorm.DB, userID string, after ParkedPlace, limit int, bytes int64) (page []models.QueuedOperation, more bool, err error) {
	page = []models.QueuedOperation{}
	held, full := int64(0), false
	query := "SELECT " + operationTable.names() + " FROM operations WHERE user_id = ? AND state = 'parked' AND (created_at, id) > (?, ?) " +
		"ORDER BY created_at, id LIMIT ?"
	err = s.rows(ctx, from, query, []any{userID, after.createdAt, after.id, limit}, func(row scanner) error {
		op, err := scanOperation(row)
		if held += op.Size(); len(page) > 0 && held > bytes {
			full = true
			return errLong
		}
		page = append(page, op)
		return err
	})
	if err == nil || full {
		err = s.redact(ctx, userID, page)
	}
	return page, full || len(page) == limit, err
}

// ResolveAlias is Tx.Alias outside a transaction.
func (s *Store) ResolveAlias(ctx context.Context, userID, deviceID, tempID string) (expenseID string, ok bool, err error) {
	query := "SELECT expense_id FROM aliases WHERE user_id = ? AND temp_id = ? AND (? = '' OR device_id = ?) ORDER BY created_at DESC, expense_id DESC LIMIT 1"
	device := storable(deviceID)
	err = s.one(ctx, s.r, query, []any{userID, storable(tempID), device, device}, &expenseID)
	if models.KindOf(err) == models.NotFound {
		return "", false, nil
	}
	return expenseID, err == nil, err
}
