package epoch

import (
	"context"
	"strconv"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A Meta is a fact about the database itself.
type Meta struct {
	Key   string `gorm:"primaryKey"`
	Value string
}

// TableName implements GORM's Tabler.
func (Meta) TableName() string { return "meta" }

// SetMeta stores facts about the database; those that are there are overwritten.
func SetMeta(ctx context.Context, db *database.DB, facts ...Meta) error {
	_, err := db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Clauses(rows.Overwrite(Meta{})).Create(&facts) })
	return err
}

// addMeta stores facts about the database, but for those that are there, and reports whether
// any was not.
func (e *Epochs) addMeta(ctx context.Context, facts ...Meta) (bool, error) {
	n, err := e.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&facts) })
	return n > 0, err
}

// Installation names the database for as long as it exists, in any epoch. Processes that
// share it find each other by this name where others meet too, such as in Redis. A copy of
// the database has the same name.
//
// The table meta keeps it as 'installation'.
func (e *Epochs) Installation(ctx context.Context) (string, error) {
	if _, err := e.addMeta(ctx, Meta{"installation", Random()}); err != nil {
		return "", err
	}
	row, err := find.One[Meta](e.db.Read(ctx).Where("key = 'installation'"))
	return row.Value, err
}

// RecordBackup records that a backup of the database as it was at a moment was verified.
func (e *Epochs) RecordBackup(ctx context.Context, of time.Time) error {
	return SetMeta(ctx, e.db, Meta{"backup_of", strconv.FormatInt(of.UnixMilli(), 10)})
}

// LastBackup returns the moment of which the last verified backup is; the zero time if there
// is none.
func (e *Epochs) LastBackup(ctx context.Context) (time.Time, error) {
	row, err := find.One[Meta](e.db.Read(ctx).Where("key = 'backup_of'"))
	if find.IsNotFound(err) || err != nil {
		if find.IsNotFound(err) {
			err = nil
		}
		return time.Time{}, err
	}
	return ParseMoment(row.Value), nil
}
