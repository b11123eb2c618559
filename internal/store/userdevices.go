package store

import (
	"cmp"
	"context"
	"slices"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A userDevice is a token that a device was seen with, so that signing the device out can
// refuse it.
type userDevice struct {
	UserID    string    `gorm:"primaryKey"`
	DeviceID  string    `gorm:"primaryKey;serializer:clientText"`
	TokenKey  string    `gorm:"primaryKey"`
	ExpiresAt time.Time `gorm:"serializer:millis;index:user_devices_expiry"`
	FirstSeen time.Time `gorm:"serializer:millis"`
	LastSeen  time.Time `gorm:"serializer:millis"`
	Client    string
}

// devicesAtOnce is how many rows SeeDevices writes with one statement.
const devicesAtOnce = 500

// SeeDevices notes that these devices are there, each with its token. What it
// notes is for people and for SignOutDevice; no rule depends on it.
func (s *Store) SeeDevices(ctx context.Context, seen []models.DeviceToken) error {
	if len(seen) == 0 {
		return nil
	}
	now := s.opts.Now()
	found := make([]userDevice, len(seen))
	for i, t := range seen {
		found[i] = newUserDevice(t, now)
	}
	slices.SortFunc(found, byKey) // two processes that note the same wait for each other in turn
	_, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Clauses(rows.Overwrite(userDevice{}, "last_seen", "client")).CreateInBatches(found, devicesAtOnce)
	})
	if err != nil {
		return err
	}
	return s.forgetEnded(ctx, seen)
}

func newUserDevice(t models.DeviceToken, now time.Time) userDevice {
	return userDevice{t.UserID, t.DeviceID, t.Key, t.ExpiresAt, now, now, t.Client}
}

// forgetEnded removes what was noted of users who removed their account or ended all their
// tokens while it waited to be noted: another process may have had it.
func (s *Store) forgetEnded(ctx context.Context, seen []models.DeviceToken) error {
	generations, err := s.generations(ctx, find.Mapped(seen, func(t models.DeviceToken) string { return t.UserID }))
	if err != nil {
		return err
	}
	ended := slices.DeleteFunc(slices.Clone(seen), func(t models.DeviceToken) bool {
		generation, exists := generations[t.UserID]
		return exists && generation == t.Generation
	})
	if len(ended) == 0 {
		return nil
	}
	_, err = s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Where(s.db.In("user_id", find.Mapped(ended, func(t models.DeviceToken) string { return t.UserID }))).
			Where(s.db.In("token_key", find.Mapped(ended, func(t models.DeviceToken) string { return t.Key }))).Delete(&userDevice{})
	})
	return err
}

// generations returns the token generations of users, behind the transactions that are ending
// their tokens now: what such a one has not seen is noted, and its DELETE is over. It
// waits for one user at a time, and holds no other user's row meanwhile.
func (s *Store) generations(ctx context.Context, users []string) (map[string]int64, error) {
	generations := make(map[string]int64, len(users))
	add := func(leaveOut bool, ids ...string) error {
		var found []models.User
		_, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
			const query = "SELECT id, token_generation FROM users WHERE ? ORDER BY id"
			return db.Raw(query+s.db.ForShare(leaveOut), s.db.In("id", ids)).Scan(&found)
		})
		for _, u := range found {
			generations[u.ID] = u.TokenGeneration
		}
		return err
	}
	if err := add(true, users...); err != nil {
		return nil, err
	}
	for _, id := range users {
		if _, known := generations[id]; known {
			continue
		}
		if err := add(false, id); err != nil {
			return nil, err
		}
	}
	return generations, nil
}

func byKey(a, b userDevice) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.TokenKey, b.TokenKey))
}

// notRevoked leaves out tokens that were refused before they expired, and maybe
// noted once more since.
func notRevoked(db *gorm.DB) *gorm.DB {
	return db.Where("NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.token_key = user_devices.token_key)")
}

// goodUntil selects the user's tokens that have not ended at a moment.
func goodUntil(db *gorm.DB, userID string, at time.Time) *gorm.DB {
	return notRevoked(db.Model(&userDevice{})).Where("user_id = ? AND expires_at > ?", userID, at.UnixMilli())
}

// Devices returns those of the user that have a token which may still be good, the
// one that was seen last first.
func (s *Store) Devices(ctx context.Context, userID string) ([]models.Device, error) {
	found, err := find.All[userDevice](goodUntil(s.db.Read(ctx), userID, s.opts.Now()).
		Select("device_id, MIN(first_seen) AS first_seen, MAX(last_seen) AS last_seen, MAX(client) AS client").
		Where("device_id <> ''").Group("device_id").Order("MAX(last_seen) DESC, device_id"))
	return find.Mapped(found, func(d userDevice) models.Device {
		return models.Device{ID: d.DeviceID, Client: d.Client, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen}
	}), err
}

// SignOutDevice refuses the tokens that a device of the user was seen with, for as
// long as they and grace last, and returns their keys; models.NotFound for a device
// that was never seen, or was signed out. The user's log says so.
func (s *Store) SignOutDevice(ctx context.Context, userID, deviceID string, grace time.Duration) (keys []string, err error) {
	err = s.Write(ctx, userID, func(tx *Tx) (err error) {
		of := tx.orm().Where("user_id = ? AND device_id = ?", userID, rows.Storable(deviceID))
		keys, err = tx.signOut(of, grace)
		if err == nil && len(keys) == 0 {
			err = models.E(models.NotFound, "Device not found")
		}
		return err
	})
	return keys, err
}

// signOut refuses the tokens of a query of user_devices, removes its rows and returns the
// tokens' keys.
func (tx *Tx) signOut(of *gorm.DB, grace time.Duration) (keys []string, err error) {
	of = of.Session(&gorm.Session{})
	found, err := findIn[userDevice](tx, notRevoked(of))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	until := map[string]time.Time{}
	for _, d := range found {
		if until[d.TokenKey].Before(d.ExpiresAt) {
			until[d.TokenKey] = d.ExpiresAt
		}
		if !slices.Contains(keys, d.TokenKey) {
			keys = append(keys, d.TokenKey)
		}
	}
	for _, key := range keys {
		if err := tx.revoke(key, until[key].Add(grace)); err != nil {
			return nil, err
		}
	}
	return keys, tx.run(of.Delete(&userDevice{}))
}

// maxRenewedDevices bounds for how many devices a new token is recorded: whoever has one may
// call himself by any number of names, and renew it again and again.
const maxRenewedDevices = 100

// RenewToken records a token that its bearer got for a valid one, whose key is old, for the
// devices that the old one was seen with: whoever signs such a device out signs the new token
// out too. Of more than maxRenewedDevices those count that were seen first, so nobody frees a
// token of its device by further names. The credential of ctx is checked in the same transaction, so a token that was
// signed out is not renewed.
func (s *Store) RenewToken(ctx context.Context, old string, renewed models.DeviceToken) error {
	return s.Write(ctx, renewed.UserID, func(tx *Tx) error {
		seen, err := tx.renewedDevices(old, renewed)
		if err != nil {
			return err
		}
		return tx.insertDevices(seen)
	})
}

// SignOutOthers ends every token of a user, seen or not, and records in the same transaction
// the one that the caller goes on with, as RenewToken does: renewed is of the generation after
// the present one. The user's log says so.
func (s *Store) SignOutOthers(ctx context.Context, old string, renewed models.DeviceToken) error {
	return s.Write(ctx, renewed.UserID, func(tx *Tx) error {
		seen, err := tx.renewedDevices(old, renewed)
		if err != nil {
			return err
		}
		if err := tx.endTokens(map[string]any{}); err != nil {
			return err
		}
		return tx.insertDevices(seen)
	})
}

// renewedDevices returns the rows by which a token takes the place of the one whose key is old.
func (tx *Tx) renewedDevices(old string, renewed models.DeviceToken) ([]userDevice, error) {
	found, err := findIn[userDevice](tx, tx.orm().Where("user_id = ? AND token_key = ?", renewed.UserID, old).
		Order("first_seen, device_id").Limit(maxRenewedDevices))
	if err != nil {
		return nil, err
	}
	clients := map[string]string{renewed.DeviceID: renewed.Client}
	for _, d := range found {
		clients[d.DeviceID] = cmp.Or(d.Client, renewed.Client)
	}
	if len(clients) > 1 {
		delete(clients, "") // the row of a token without a device
	}
	seen := make([]userDevice, 0, len(clients))
	for id, client := range clients {
		row := newUserDevice(renewed, tx.Clock())
		row.DeviceID, row.Client = id, client
		seen = append(seen, row)
	}
	slices.SortFunc(seen, byKey)
	return seen, nil
}

func (tx *Tx) insertDevices(seen []userDevice) error {
	return tx.run(tx.orm().Clauses(rows.Overwrite(userDevice{}, "last_seen", "client")).CreateInBatches(seen, devicesAtOnce))
}

// maxSessions bounds how many sessions are listed.
const maxSessions = 500

// Sessions returns the user's tokens that may still be good, as far as they were seen
// (SeeDevices), the one that was seen last first; at most maxSessions.
func (s *Store) Sessions(ctx context.Context, userID string) ([]models.LoginSession, error) {
	found, err := find.All[userDevice](goodUntil(s.db.Read(ctx), userID, s.opts.Now()).
		Order("last_seen DESC, token_key, device_id").Limit(2 * maxSessions))
	all, at := []models.LoginSession{}, map[string]int{}
	for _, d := range found {
		i, known := at[d.TokenKey]
		if !known {
			i, at[d.TokenKey] = len(all), len(all)
			all = append(all, models.LoginSession{Key: d.TokenKey, ExpiresAt: d.ExpiresAt, FirstSeen: d.FirstSeen, LastSeen: d.LastSeen})
		}
		if d.FirstSeen.Before(all[i].FirstSeen) {
			all[i].FirstSeen = d.FirstSeen
		}
		all[i].Client = cmp.Or(all[i].Client, d.Client)
		if d.DeviceID != "" {
			all[i].Devices = append(all[i].Devices, d.DeviceID)
		}
	}
	return all[:min(len(all), maxSessions)], err
}

// SignOutToken refuses one token of the user for as long as it and grace last;
// models.NotFound for one that was never seen, or was signed out.
func (s *Store) SignOutToken(ctx context.Context, userID, key string, grace time.Duration) error {
	if database.CheckText(key) != nil {
		return errNoSession
	}
	return s.Write(ctx, userID, func(tx *Tx) error {
		keys, err := tx.signOut(tx.orm().Where("user_id = ? AND token_key = ?", userID, key), grace)
		if err == nil && len(keys) == 0 {
			err = errNoSession
		}
		return err
	})
}

var errNoSession = models.E(models.NotFound, "Session not found")
