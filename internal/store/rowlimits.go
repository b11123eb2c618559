package store

import (
	"context"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/record"
	"expenseflow/models"

	"gorm.io/gorm"
)

// What one user may have of rows that nobody sees and that come with every request:
// far more than a person makes in the time for which they are kept (see Prune).
const (
	maxRemembered    = 200_000 // applied operations, aliases and posts, each
	maxDevices       = 1_000
	maxNotifications = 1_000
	maxLogged        = 500_000 // changes; a device that knows only older ones begins anew
)

// A rowLimit bounds the rows of a user in a table: the newest are kept.
type rowLimit struct {
	row   any
	age   string // the column that says how new a row is
	where string // the rows that count
	most  int
}

var rowLimits = []rowLimit{
	{&operations.Row{}, "updated_at", "state <> 'parked'", maxRemembered},
	{&alias{}, "created_at", "true", maxRemembered},
	{&Post{}, "received_at", "true", maxRemembered},
	{&device{}, "last_acted", "true", maxDevices},
	{&userDevice{}, "last_seen", "true", maxDevices},
	{&models.Import{}, "created_at", "true", maxImports},
	{&models.ImportedRow{}, "created_at", "true", maxRemembered},
}

// PruneCrowds removes the oldest rows of users who have more of a kind than anybody
// needs, at most limit of each kind, and returns how many in all. The newest rows stay,
// and no row that a person has to decide about is touched.
func (s *Store) PruneCrowds(ctx context.Context, limit int) (total int64, err error) {
	for _, l := range rowLimits {
		n, err := s.trim(ctx, l, limit)
		if total += n; err != nil {
			return total, err
		}
	}
	db := s.db.Read(ctx)
	n, err := s.trimLocked(ctx, limit, maxNotifications, (*Tx).pruneNotifications,
		db.Model(&models.Notification{}).Select("user_id").Group("user_id").Having("COUNT(*) > ?", maxNotifications).Limit(limit),
		db.Model(&models.Notification{}).Select("created_at").Order("created_at DESC, id DESC"))
	if total += n; err != nil {
		return total, err
	}
	n, err = s.trimLocked(ctx, limit, maxLogged, (*Tx).pruneLog,
		db.Model(&models.User{}).Select("id").Where("seq - log_start > ?", maxLogged).Limit(limit),
		db.Model(&record.ChangeRow{}).Select("at").Order("seq DESC"))
	return total + n, err
}

// trim applies a limit, and removes at most so many rows.
func (s *Store) trim(ctx context.Context, l rowLimit, limit int) (total int64, err error) {
	users, err := find.All[string](s.db.Read(ctx).Model(l.row).Select("user_id").Where(l.where).
		Group("user_id").Having("COUNT(*) > ?", l.most).Limit(limit))
	for _, userID := range users {
		if err != nil || total >= int64(limit) {
			break
		}
		var n int64
		n, err = s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
			return deleteKeys(db, l.row, db.Model(l.row).Where("user_id = ?", userID).Where(l.where).
				Order(l.age+" DESC").Limit(limit-int(total)).Offset(l.most))
		})
		total += n
	}
	return total, err
}

// trimLocked is trim of rows that are removed under their user's lock. users selects the
// users with more than most, newest the moments at which a user's rows were made.
func (s *Store) trimLocked(
	ctx context.Context, limit, most int, prune func(*Tx, time.Time, int) (int64, error), users, newest *gorm.DB,
) (total int64, err error) {
	newest = newest.Session(&gorm.Session{})
	crowded, err := find.All[string](users)
	for _, userID := range crowded {
		if err != nil || total >= int64(limit) {
			break
		}
		var at int64
		if at, err = find.One[int64](newest.Where("user_id = ?", userID).Limit(1).Offset(most)); err != nil {
			break
		}
		var n int64
		err = s.Write(ctx, userID, func(tx *Tx) (err error) {
			n, err = prune(tx, time.UnixMilli(at+1), limit-int(total))
			return err
		})
		total += n
	}
	return total, err
}
