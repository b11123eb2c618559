package processes

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A KeptRooms is what rooms a page joined, under a name of its private session id.
type KeptRooms struct {
	SessionKey string    `gorm:"primaryKey"`
	UserID     string    `gorm:"index:kept_rooms_user"`
	Rooms      string    // a JSON array
	UpdatedAt  time.Time `gorm:"serializer:millis;index:kept_rooms_age"`
}

// maxKeptPages bounds for how many pages of a user rooms are kept: many times what
// anybody has open. A page that is closed says nothing, and would be kept until
// Prune.
const maxKeptPages = 500

// refreshAfter is how old the rooms of a page may be when it comes back, before they count
// as new again: so Prune keeps those of a page that comes back again and again.
const refreshAfter = 24 * time.Hour

// KeepRooms notes the rooms that a page joined, under a name of its private
// session id; no rooms forget it. Of a user with more than maxKeptPages the pages
// that joined rooms longest ago are forgotten.
func (p *Processes) KeepRooms(ctx context.Context, userID, sessionKey string, rooms []string) error {
	if len(rooms) == 0 {
		_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
			return db.Where("session_key = ? AND user_id = ?", sessionKey, userID).Delete(&KeptRooms{})
		})
		return err
	}
	b, _ := json.Marshal(rooms) // texts always marshal
	row := KeptRooms{sessionKey, userID, string(b), p.db.Now()}
	_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Clauses(rows.Overwrite(row, "rooms", "updated_at")).Create(&row)
	})
	if err != nil {
		return err
	}
	return p.boundKeptPages(ctx, userID)
}

// boundKeptPages writes only if there is something to forget.
func (p *Processes) boundKeptPages(ctx context.Context, userID string) error {
	var pages int64
	err := p.db.Read(ctx).Model(&KeptRooms{}).Where("user_id = ?", userID).Count(&pages).Error
	if err != nil || pages <= maxKeptPages {
		return err
	}
	_, err = p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		oldest := db.Model(&KeptRooms{}).Select("session_key").Where("user_id = ?", userID).
			Order("updated_at, session_key").Limit(int(pages - maxKeptPages))
		return db.Where("session_key IN (?)", oldest).Delete(&KeptRooms{})
	})
	return err
}

// KeptRoomsOfPage is a column of a query of users.
const KeptRoomsOfPage = ", COALESCE((SELECT k.updated_at || ' ' || k.rooms FROM kept_rooms k " +
	"WHERE k.session_key = ? AND k.user_id = users.id), '') AS kept_rooms"

// FreshRooms reads KeptRoomsOfPage as of now; nil for rooms that are to count as new again, which
// KeptRooms does.
func FreshRooms(column string, now time.Time) (*models.KeptRooms, error) {
	if column == "" {
		return &models.KeptRooms{}, nil
	}
	at, names, _ := strings.Cut(column, " ")
	updated, err := strconv.ParseInt(at, 10, 64)
	if err != nil || updated < now.Add(-refreshAfter).UnixMilli() {
		return nil, err
	}
	kept := &models.KeptRooms{}
	return kept, json.Unmarshal([]byte(names), &kept.Names)
}

// KeptRooms returns those that KeepRooms noted last; none if it never did.
func (p *Processes) KeptRooms(ctx context.Context, userID, sessionKey string) (names []string, err error) {
	row, err := find.One[KeptRooms](p.db.Read(ctx).Where("session_key = ? AND user_id = ?", sessionKey, userID))
	switch {
	case find.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if now := p.db.Now(); row.UpdatedAt.Before(now.Add(-refreshAfter)) {
		_, err = p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
			return db.Model(&KeptRooms{}).Where("session_key = ?", sessionKey).UpdateColumn("updated_at", models.Millis(now).UnixMilli())
		})
		if err != nil {
			return nil, err
		}
	}
	return names, json.Unmarshal([]byte(row.Rooms), &names)
}
