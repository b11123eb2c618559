// Package epoch names the lives of a database, and follows PostgreSQL from one to the next: after
// a failover to a standby, or a backup that was put back.
//
// A new epoch begins whenever changes may be missing that clients have seen, since their sequence
// numbers are given out again. Of several processes one begins it, and all follow.
package epoch

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"

	"gorm.io/gorm"
)

// Epochs keeps the epoch of a database, and other facts about the database itself.
type Epochs struct {
	db      *database.DB
	log     *slog.Logger
	changed func(epoch string) // may be nil

	current atomic.Value // string
	began   atomic.Int64 // when the epoch did (ReadEpoch), in milliseconds since 1970
}

// New returns the epochs of a database. changed, if not nil, is called, in a goroutine of its
// own, when a new epoch has begun since the database was opened.
func New(db *database.DB, log *slog.Logger, changed func(epoch string)) *Epochs {
	return &Epochs{db: db, log: log, changed: changed}
}

// EpochBegan is when the present epoch did, in milliseconds since 1970.
func (e *Epochs) EpochBegan() int64 { return e.began.Load() }

// Epoch names this life of the database. A backup that was restored, a standby that was
// promoted and may lack what was acknowledged, or another database has another one, so
// that positions in the old log, and moments of it, mean nothing.
//
// The table meta keeps it as 'epoch', with 'epoch_began' (milliseconds since 1970, see
// models.LogState; absent before schema 9) and PostgreSQL's 'timeline' (eight hex digits).
func (e *Epochs) Epoch(ctx context.Context) (string, error) {
	row, err := find.One[Meta](e.db.Read(ctx).Where("key = 'epoch'"))
	return row.Value, err
}

// NewEpoch begins a new life of the database, after a backup was restored.
func (e *Epochs) NewEpoch(ctx context.Context) (string, error) {
	epoch := Random()
	err := SetMeta(ctx, e.db, Meta{"epoch", epoch}, Meta{"epoch_began", e.Beginning()})
	if err == nil {
		err = e.emptyMoves(ctx)
	}
	if err == nil {
		err = e.ReadEpoch(ctx)
	}
	return epoch, err
}

// EnsureEpoch begins the first epoch of a new database.
func (e *Epochs) EnsureEpoch(ctx context.Context) error {
	fresh, err := e.addMeta(ctx, Meta{"epoch", Random()})
	if err == nil && fresh {
		_, err = e.addMeta(ctx, Meta{"epoch_began", e.Beginning()})
	}
	if err != nil {
		return err
	}
	return e.ReadEpoch(ctx)
}

// ReadEpoch notes when the epoch began: no transaction is of that moment or before,
// whatever the clock of its process shows.
func (e *Epochs) ReadEpoch(ctx context.Context) error {
	began, err := find.One[Meta](e.db.Writer.WithContext(ctx).Where("key = 'epoch_began'"))
	if err == nil || find.IsNotFound(err) {
		e.began.Store(ParseMoment(began.Value).UnixMilli())
		return nil
	}
	return err
}

// Beginning is the last moment before now, as the table meta keeps it.
func (e *Epochs) Beginning() string { return strconv.FormatInt(e.db.Now().UnixMilli()-1, 10) }

// Random returns a name for an epoch that no other has.
func Random() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// ParseMoment parses what Beginning returned; anything else is the start of 1970.
func ParseMoment(s string) time.Time {
	ms, _ := strconv.ParseInt(s, 10, 64)
	return time.UnixMilli(ms).UTC()
}

// emptyMoves has every process compare everything: after a restored backup their positions
// mean nothing.
func (e *Epochs) emptyMoves(ctx context.Context) error {
	if e.db.OnSQLite() {
		return nil
	}
	_, err := e.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Exec("TRUNCATE moved") })
	return err
}

const epochQuery = "SELECT value, COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), '') FROM meta WHERE key = 'epoch'"

// setEpoch sets the current epoch, and reports it if it has changed.
func (e *Epochs) setEpoch(epoch, began string) {
	e.began.Store(ParseMoment(began).UnixMilli())
	if before, _ := e.current.Swap(epoch).(string); before != "" && before != epoch && e.changed != nil {
		go e.changed(epoch)
	}
}

// FollowEpoch reads an epoch that another process began, as the command epoch does. On
// SQLite no other process can.
func (e *Epochs) FollowEpoch(ctx context.Context) error {
	if e.db.OnSQLite() {
		return nil
	}
	var epoch, began string
	if err := e.db.Read(ctx).Raw(epochQuery).Row().Scan(&epoch, &began); err != nil {
		return e.db.Fail(err)
	}
	e.setEpoch(epoch, began)
	return nil
}

// EpochAfterLoss begins a new epoch if the user's log ends before a sequence that this
// process has read from it: a backup was restored under the running servers, or the
// database lost what it had acknowledged. Of several processes one begins it. On SQLite
// nobody can put the file back, for it is locked.
func (e *Epochs) EpochAfterLoss(ctx context.Context, userID string, read int64) error {
	known, _ := e.current.Load().(string)
	if e.db.OnSQLite() || known == "" {
		return nil
	}
	// GORM has no INSERT of a SELECT.
	const behind = " WHERE EXISTS (SELECT 1 FROM users WHERE id = ? AND seq < ?)" +
		" AND EXISTS (SELECT 1 FROM meta WHERE key = 'epoch' AND value = ?)"
	query := "INSERT INTO meta (key, value) SELECT 'epoch', ?" + behind + " UNION ALL SELECT 'epoch_began', ?" + behind +
		" ON CONFLICT (key) DO UPDATE SET value = excluded.value"
	n, err := e.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Exec(query, Random(), userID, read, known, e.Beginning(), userID, read, known)
	})
	if err != nil {
		return err
	}
	if n > 0 {
		e.log.WarnContext(ctx, "the database lacks changes that it had: a new epoch begins, and every client begins anew",
			slog.String("user_id", userID))
	}
	return e.FollowEpoch(ctx)
}
