package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// Epoch names this life of the database. A backup that was restored, a standby that was
// promoted and may lack what was acknowledged, or another database has another one, so
// that positions in the old log, and moments of it, mean nothing.
//
// The table meta keeps it as 'epoch', with 'epoch_began' (milliseconds since 1970, see
// models.LogState; absent before schema 9) and PostgreSQL's 'timeline' (eight hex digits).
func (s *Store) Epoch(ctx context.Context) (string, error) {
	row, err := find.One[metaRow](s.db.Read(ctx).Where("key = 'epoch'"))
	return row.Value, err
}

// A metaRow is a fact about the database itself.
type metaRow struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

func (metaRow) TableName() string { return "meta" }

// setMeta stores facts about the database; those that are there are overwritten.
func (s *Store) setMeta(ctx context.Context, facts ...metaRow) error {
	_, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Clauses(rows.Overwrite(metaRow{})).Create(&facts) })
	return err
}

// addMeta stores facts about the database, but for those that are there, and reports whether
// any was not.
func (s *Store) addMeta(ctx context.Context, facts ...metaRow) (bool, error) {
	n, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&facts) })
	return n > 0, err
}

// NewEpoch begins a new life of the database, after a backup was restored.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	epoch := randomEpoch()
	err := s.setMeta(ctx, metaRow{"epoch", epoch}, metaRow{"epoch_began", s.beginning()})
	if err == nil {
		err = s.emptyMoves(ctx)
	}
	if err == nil {
		err = s.readEpoch(ctx)
	}
	return epoch, err
}

// ensureEpoch begins the first epoch of a new database.
func (s *Store) ensureEpoch(ctx context.Context) error {
	fresh, err := s.addMeta(ctx, metaRow{"epoch", randomEpoch()})
	if err == nil && fresh {
		_, err = s.addMeta(ctx, metaRow{"epoch_began", s.beginning()})
	}
	if err != nil {
		return err
	}
	return s.readEpoch(ctx)
}

// readEpoch notes when the epoch began: no transaction is of that moment or before,
// whatever the clock of its process shows.
func (s *Store) readEpoch(ctx context.Context) error {
	began, err := find.One[metaRow](s.db.Writer.WithContext(ctx).Where("key = 'epoch_began'"))
	if err == nil || find.IsNotFound(err) {
		s.began.Store(parseMoment(began.Value).UnixMilli())
		return nil
	}
	return err
}

// beginning is the last moment before now, as the table meta keeps it.
func (s *Store) beginning() string { return strconv.FormatInt(s.opts.Now().UnixMilli()-1, 10) }

func randomEpoch() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// parseMoment parses what beginning returned; anything else is the start of 1970.
func parseMoment(s string) time.Time {
	ms, _ := strconv.ParseInt(s, 10, 64)
	return time.UnixMilli(ms).UTC()
}
