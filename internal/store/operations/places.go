package operations

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// ParkedExtent returns how many operations of the user are parked and the place behind the
// newest of them.
func (o Operations) ParkedExtent(ctx context.Context, userID string) (total int64, last models.ParkedPlace, err error) {
	err = o.db.Snapshot(ctx, func(session *gorm.DB) error {
		if err := ParkedOf(session.Model(&Row{}), userID).Count(&total).Error; err != nil || total == 0 {
			return err
		}
		last, err = find.One[models.ParkedPlace](ParkedOf(session.Model(&Row{}), userID).
			Select("created_at, id").Order("created_at DESC, id DESC").Limit(1))
		return err
	})
	return total, last, err
}

// ParkedPlaces returns the places of at most limit parked operations of the user after one
// place and not after another, oldest first.
func (o Operations) ParkedPlaces(
	ctx context.Context, userID string, after, through models.ParkedPlace, limit int,
) ([]models.ParkedPlace, error) {
	return find.All[models.ParkedPlace](NotAfter(ParkedOf(o.db.Read(ctx).Model(&Row{}), userID), through).
		Where("(created_at, id) > (?, ?)", after.CreatedAt, after.ID).
		Select("created_at, id").Order("created_at, id").Limit(limit))
}

// ParkedOf selects the parked operations of a user.
func ParkedOf(db *gorm.DB, userID string) *gorm.DB {
	return db.Where("user_id = ? AND state = 'parked'", userID)
}

// NotAfter selects those that are not after a place.
func NotAfter(db *gorm.DB, place models.ParkedPlace) *gorm.DB {
	return db.Where("(created_at, id) <= (?, ?)", place.CreatedAt, place.ID)
}
