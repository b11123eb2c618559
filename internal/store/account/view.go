package account

import (
	"context"
	"sync"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/entries"
	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A View reads everything that an account has, as of one moment, in constant memory,
// for a caller who may be slow.
//
// Invariants: what it returns is of one moment, or the error is models.Unavailable. It reads in
// pages, from a snapshot; a page is in memory before the caller gets any of it. A snapshot keeps
// SQLite's WAL and PostgreSQL's old rows from being cleaned up and others from a place for long
// reads, so it is kept as long as the statement of a listing: while others wait for
// entries.LongHold, and for entries.LongKeep at all. The rest of a slower caller is read without
// it, and each page then has to be of the same version of the account: nothing was written for it
// since. (What other users do, who comment on a shared expense, does not count.)
type View struct {
	db      *database.DB
	ctx     context.Context
	user    models.User
	version accountVersion

	mu    sync.Mutex // held by a read and while the snapshot ends
	snap  *gorm.DB   // nil after it has ended
	end   func()
	began time.Time
	rows  int64 // read from the snapshot
}

// An accountVersion changes with whatever is written for a user.
type accountVersion struct{ Seq, LastSyncedAt int64 }

// ViewAccount calls fn with a view of the user's account, which is of use until fn returns. An
// error of fn is returned as it is. models.NotFound if the user is gone.
func (a Views) ViewAccount(ctx context.Context, userID string, fn func(*View) error) error {
	done, err := a.db.LongRead(ctx, userID)
	if err != nil {
		return err
	}
	v := &View{db: a.db, ctx: ctx, began: time.Now()}
	snap, end, err := a.db.OpenSnapshot(ctx, a.db.Long)
	if err != nil {
		done(0)
		return err
	}
	v.snap, v.end = snap, func() { end(); done(v.rows) }
	defer v.watch()()
	if v.user, err = find.User(snap, "id = ?", userID); err != nil {
		return err
	}
	v.version = accountVersion{v.user.Seq, v.user.SyncedAt.UnixMilli()}
	if v.user.SyncedAt.IsZero() {
		v.version.LastSyncedAt = 0
	}
	return fn(v)
}

// watch ends the snapshot when it was held for too long. stop ends it in any case, and waits.
func (v *View) watch() (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		look := time.NewTicker(entries.LongLook)
		defer look.Stop()
		for {
			select {
			case <-stopping:
				return
			case <-look.C:
				v.endIfHeld()
			}
		}
	}()
	return func() {
		close(stopping)
		<-stopped
		v.mu.Lock()
		defer v.mu.Unlock()
		v.endSnapshot()
	}
}

// endIfHeld ends a snapshot that the caller holds up, between two reads.
func (v *View) endIfHeld() {
	if !v.mu.TryLock() {
		return
	}
	defer v.mu.Unlock()
	if held := time.Since(v.began); held >= entries.LongKeep || held >= entries.LongHold && v.db.LongReadsAwaited() {
		v.endSnapshot()
	}
}

func (v *View) endSnapshot() {
	if v.snap != nil {
		v.snap = nil
		v.end()
	}
}

// read calls fn with where to read a page. fn returns how many rows it read.
func (v *View) read(fn func(db *gorm.DB) (int, error)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.snap == nil {
		return v.readLater(fn)
	}
	n, err := fn(v.snap.WithContext(v.ctx))
	v.rows += int64(n)
	return err
}

// readLater is read without a snapshot: of a new one, which has to be of the same version.
func (v *View) readLater(fn func(db *gorm.DB) (int, error)) error {
	return v.db.LongSnapshot(v.ctx, v.user.ID, func(later *gorm.DB) (int64, error) {
		now, err := find.OfUser[accountVersion](later, v.user.ID, "seq, last_synced_at")
		if err == nil && now != v.version {
			err = entries.ErrListChanged()
		}
		if err != nil {
			return 0, err
		}
		n, err := fn(later)
		return int64(n), err
	})
}

// eachPage calls fn with the rows of a query, which is in the order of its keyset; after is
// the condition on what follows a row.
func eachPage[T any](v *View, query func(db *gorm.DB) *gorm.DB, after func(*T) (string, []any), fn func([]T) error) error {
	var last *T
	for {
		var page []T
		err := v.read(func(db *gorm.DB) (_ int, err error) {
			q := query(db)
			if last != nil {
				condition, args := after(last)
				q = q.Where(condition, args...)
			}
			page, err = find.All[T](q.Limit(entries.StreamChunk))
			return len(page), err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		if err := fn(page); err != nil || len(page) < entries.StreamChunk {
			return err
		}
		last = &page[len(page)-1]
	}
}

// eachRow is eachPage with the rows one by one.
func eachRow[T any](v *View, query func(db *gorm.DB) *gorm.DB, after func(*T) (string, []any), fn func(T) error) error {
	return eachPage(v, query, after, func(page []T) error {
		for i := range page {
			if err := fn(page[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
