package store

import (
	"context"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
)

// ParkedExtent returns how many operations of the user are parked and the place behind the
// newest of them.
func (s *Store) ParkedExtent(ctx context.Context, userID string) (total int64, last models.ParkedPlace, err error) {
	err = s.snapshot(ctx, func(v *snapshot) error {
		if err := parkedOf(v.db.Model(&operationRow{}), userID).Count(&total).Error; err != nil || total == 0 {
			return err
		}
		last, err = find.One[models.ParkedPlace](parkedOf(v.db.Model(&operationRow{}), userID).
			Select("created_at, id").Order("created_at DESC, id DESC").Limit(1))
		return err
	})
	return total, last, err
}

// ParkedPlaces returns the places of at most limit parked operations of the user after one
// place and not after another, oldest first.
func (s *Store) ParkedPlaces(
	ctx context.Context, userID string, after, through models.ParkedPlace, limit int,
) ([]models.ParkedPlace, error) {
	return find.All[models.ParkedPlace](notAfter(parkedOf(s.db.Read(ctx).Model(&operationRow{}), userID), through).
		Where("(created_at, id) > (?, ?)", after.CreatedAt, after.ID).
		Select("created_at, id").Order("created_at, id").Limit(limit))
}

// DiscardParked discards the oldest parked operations of the user that are not after a
// place, at most limit, and returns how many these were and how many of them are left. The
// transaction must not have read operations before.
func (tx *Tx) DiscardParked(through models.ParkedPlace, limit int) (discarded, left int64, err error) {
	count := func() (int64, error) {
		return tx.count(notAfter(parkedOf(tx.orm().Model(&operationRow{}), tx.user.ID), through))
	}
	before, err := count()
	if err != nil || before == 0 {
		return 0, 0, err
	}
	oldest := notAfter(parkedOf(tx.orm().Model(&operationRow{}), tx.user.ID), through).
		Select("id").Order("created_at, id").Limit(limit)
	err = tx.run(tx.orm().Model(&operationRow{}).Where("id IN (?)", oldest).
		UpdateColumns(map[string]any{"state": models.Discarded, "updated_at": tx.Now().UnixMilli()}))
	if err != nil {
		return 0, 0, err
	}
	left, err = count()
	return before - left, left, err
}

func parkedOf(db *gorm.DB, userID string) *gorm.DB {
	return db.Where("user_id = ? AND state = 'parked'", userID)
}

func notAfter(db *gorm.DB, place models.ParkedPlace) *gorm.DB {
	return db.Where("(created_at, id) <= (?, ?)", place.CreatedAt, place.ID)
}
