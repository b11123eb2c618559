package store

import (
	"context"
	"slices"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
)

// An alias is the temporary id under which a device knows an expense that it made offline.
type alias struct {
	UserID    string `gorm:"primaryKey"`
	TempID    string `gorm:"primaryKey;serializer:clientText"`
	DeviceID  string `gorm:"primaryKey;serializer:clientText"`
	ExpenseID string
	CreatedAt time.Time `gorm:"serializer:millis;index:aliases_age"`
}

// An AliasKey names an expense as the device that made it offline does.
type AliasKey struct {
	DeviceID string // "" is any device of the user
	TempID   string
}

// newestAlias is the order in which the first alias of a name is the newest.
const newestAlias = "created_at DESC, expense_id DESC"

// Alias returns the expense that a device calls tempID. An unnamed device ("") finds
// the newest one of that name from any device of the user.
func (tx *Tx) Alias(deviceID, tempID string) (expenseID string, ok bool, err error) {
	if err := tx.loadAliases([]AliasKey{{deviceID, tempID}}); err != nil {
		return "", false, err
	}
	if deviceID == "" {
		expenseID, ok, _ = tx.anyAliases.Get(tempID)
		return expenseID, ok, nil
	}
	a, ok, _ := tx.aliases.Get(AliasKey{deviceID, tempID})
	return a.ExpenseID, ok, nil
}

// loadAliases reads every device's names among those of keys, so that it knows
// the newest too.
func (tx *Tx) loadAliases(keys []AliasKey) error {
	temps := find.Mapped(keys, func(k AliasKey) string { return k.TempID })
	temps = slices.DeleteFunc(temps, func(id string) bool { return id == "" || tx.tempIDs[id] })
	if len(temps) == 0 {
		return nil
	}
	found, err := findIn[alias](tx, tx.orm().Where("user_id = ?", tx.user.ID).
		Where(tx.s.db.In("temp_id", find.Mapped(temps, rows.Storable))).Order(newestAlias))
	for _, a := range found {
		tx.aliases.Load(AliasKey{a.DeviceID, a.TempID}, a, true)
		tx.anyAliases.Load(a.TempID, a.ExpenseID, true) // the first of its name is the newest
	}
	for _, id := range temps {
		tx.tempIDs[id] = err == nil
	}
	return err
}

// SetAlias notes that a device calls this expense tempID; a later one of the
// same name replaces it.
func (tx *Tx) SetAlias(deviceID, tempID, expenseID string) {
	a := alias{tx.user.ID, tempID, deviceID, expenseID, tx.Now()}
	tx.aliases.Put(AliasKey{deviceID, tempID}, a, !tx.tempIDs[tempID])
	tx.anyAliases.Put(tempID, expenseID, false)
}

// ResolveAlias is Tx.Alias outside a transaction.
func (s *Store) ResolveAlias(ctx context.Context, userID, deviceID, tempID string) (expenseID string, ok bool, err error) {
	query := s.db.Read(ctx).Where("user_id = ? AND temp_id = ?", userID, rows.Storable(tempID)).Order(newestAlias).Limit(1)
	if deviceID != "" {
		query = query.Where("device_id = ?", rows.Storable(deviceID))
	}
	a, err := find.One[alias](query)
	if find.IsNotFound(err) {
		return "", false, nil
	}
	return a.ExpenseID, err == nil, err
}
