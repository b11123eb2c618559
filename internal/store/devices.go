package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"expenseflow/models"
)

type userDeviceRow struct {
	UserID    string `gorm:"primaryKey"`
	DeviceID  string `gorm:"primaryKey"`
	TokenKey  string `gorm:"primaryKey"`
	ExpiresAt int64  `gorm:"index:user_devices_expiry"`
	FirstSeen int64
	LastSeen  int64
}

type keptRoomsRow struct {
	SessionKey string `gorm:"primaryKey"`
	UserID     string `gorm:"index:kept_rooms_user"`
	Rooms      string
	UpdatedAt  int64 `gorm:"index:kept_rooms_age"`
}

func (userDeviceRow) TableName() string { return "user_devices" }
func (keptRoomsRow) TableName() string  { return "kept_rooms" }

var userDeviceTable = &table{name: "user_devices", key: "user_id, device_id, token_key", columns: []column{
	{"user_id", text},
	{"device_id", text},
	{"token_key", text},
	{"expires_at", integer},
	{"first_seen", integer},
	{"last_seen", integer},
}}

// SeeDevices notes that these devices are there, each with its token. What it
// notes is for people and for SignOutDevice; no rule depends on it.
func (s *Store) SeeDevices(ctx context.Context, seen []models.DeviceToken) error {
	now, rows := s.opts.Now().UnixMilli(), make([][]any, 0, len(seen))
	for _, t := range seen {
		row := []any{t.UserID, storable(t.DeviceID), t.Key, t.ExpiresAt.UnixMilli(), now, now}
		if err := checkText(row); err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	slices.SortFunc(rows, byKey) // two processes that note the same wait for each other in turn
	query, args := s.d.insert(userDeviceTable, rows, " ON CONFLICT ("+userDeviceTable.key+") DO UPDATE SET last_seen = excluded.last_seen")
	if _, err := s.exec(ctx, query, args...); err != nil {
		return err
	}
	return s.forgetDevicesOfNobody(ctx, seen)
}

// forgetDevicesOfNobody removes what was noted of users whose accounts were removed
// while it waited to be noted.
func (s *Store) forgetDevicesOfNobody(ctx context.Context, seen []models.DeviceToken) error {
	users := mapped(seen, func(t models.DeviceToken) string { return t.UserID })
	_, err := s.exec(ctx, "DELETE FROM user_devices WHERE "+s.d.in("user_id")+" AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = user_devices.user_id)", s.d.list(users))
	return err
}

func byKey(a, b []any) int {
	return cmp.Or(cmp.Compare(a[0].(string), b[0].(string)), cmp.Compare(a[1].(string), b[1].(string)), cmp.Compare(a[2].(string), b[2].(string)))
}

// notRevoked leaves out tokens that were refused before they expired, and maybe
// noted once more since.
const notRevoked = " AND NOT EXISTS (SELECT 1 FROM revoked_tokens r WHERE r.token_key = user_devices.token_key)"

// Devices are those of the user that have a token which may still be good, the
// one that was seen last first.
func (s *Store) Devices(ctx context.Context, userID string) ([]models.Device, error) {
	var all []models.Device
	query := `SELECT device_id, MIN(first_seen), MAX(last_seen) FROM user_devices WHERE user_id = ? AND expires_at > ? AND device_id <> ''` + notRevoked + `
		GROUP BY device_id ORDER BY MAX(last_seen) DESC, device_id`
	err := s.rows(ctx, s.r, query, []any{userID, s.opts.Now().UnixMilli()}, func(row scanner) error {
		var d models.Device
		var first, last int64
		err := row.Scan(&d.ID, &first, &last)
		d.ID, d.FirstSeen, d.LastSeen = original(d.ID), fromMillis(first), fromMillis(last)
		all = append(all, d)
		return err
	})
	return all, err
}

// SignOutDevice refuses the tokens that a device of the user was seen with, for as
// long as they and grace last, and gives their keys; models.NotFound for a device
// that was never seen, or was signed out. The user's log says so.
func (s *Store) SignOutDevice(ctx context.Context, userID, deviceID string, grace time.Duration) (keys []string, err error) {
	err = s.Write(ctx, userID, func(tx *Tx) (err error) {
		keys, err = tx.signOutDevice(storable(deviceID), grace)
		return err
	})
	return keys, err
}

func (tx *Tx) signOutDevice(id string, grace time.Duration) (keys []string, err error) {
	until := map[string]time.Time{}
	err = tx.query("SELECT token_key, expires_at FROM user_devices WHERE user_id = ? AND device_id = ?"+notRevoked, []any{tx.user.ID, id}, func(row scanner) error {
		var key string
		var expires int64
		err := row.Scan(&key, &expires)
		keys, until[key] = append(keys, key), fromMillis(expires).Add(grace)
		return err
	})
	if err == nil && len(keys) == 0 {
		return nil, models.E(models.NotFound, "Device not found")
	}
	for _, key := range keys {
		tx.revoke(key, until[key])
	}
	return keys, tx.exec("DELETE FROM user_devices WHERE user_id = ? AND device_id = ?", tx.user.ID, id)
}

// maxSessions bounds how many sessions are listed.
const maxSessions = 500

// Sessions are the user's tokens that may still be good, as far as they were seen
// (SeeDevices), the one that was seen last first; at most maxSessions.
func (s *Store) Sessions(ctx context.Context, userID string) ([]models.Session, error) {
	all, at := []models.Session{}, map[string]int{}
	query := "SELECT token_key, device_id, expires_at, first_seen, last_seen FROM user_devices WHERE user_id = ? AND expires_at > ?" + notRevoked +
		" ORDER BY last_seen DESC, token_key, device_id LIMIT ?"
	err := s.rows(ctx, s.r, query, []any{userID, s.opts.Now().UnixMilli(), 2 * maxSessions}, func(row scanner) error {
		var key, device string
		var expires, first, last int64
		if err := row.Scan(&key, &device, &expires, &first, &last); err != nil {
			return err
		}
		i, known := at[key]
		if !known {
			i, at[key] = len(all), len(all)
			all = append(all, models.Session{Key: key, ExpiresAt: fromMillis(expires), FirstSeen: fromMillis(first), LastSeen: fromMillis(last)})
		}
		if seen := fromMillis(first); seen.Before(all[i].FirstSeen) {
			all[i].FirstSeen = seen
		}
		if device != "" {
			all[i].Devices = append(all[i].Devices, original(device))
		}
		return nil
	})
	return all[:min(len(all), maxSessions)], err
}

// SignOutToken refuses one token of the user for as long as it and grace last;
// models.NotFound for one that was never seen, or was signed out.
func (s *Store) SignOutToken(ctx context.Context, userID, key string, grace time.Duration) error {
	if err := checkText([]any{key}); err != nil {
		return errNoSession
	}
	return s.Write(ctx, userID, func(tx *Tx) error {
		var expires int64
		query := "SELECT COALESCE(MAX(expires_at), 0) FROM user_devices WHERE user_id = ? AND token_key = ?" + notRevoked
		err := tx.query(query, []any{userID, key}, func(row scanner) error { return row.Scan(&expires) })
		if err == nil && expires == 0 {
			err = errNoSession
		}
		if err != nil {
			return err
		}
		tx.revoke(key, fromMillis(expires).Add(grace))
		return tx.exec("DELETE FROM user_devices WHERE user_id = ? AND token_key = ?", userID, key)
	})
}

var errNoSession = models.E(models.NotFound, "Session not found")

// revoke refuses a token and writes it into the log, for the processes that have
// sockets of it.
func (tx *Tx) revoke(key string, until time.Time) {
	_ = tx.exec("INSERT INTO revoked_tokens (token_key, user_id, expires_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		key, tx.user.ID, until.UnixMilli()) // exec keeps the error
	tx.user.Revocations++
	tx.Append(models.Change{Kind: models.SignedOut, EntityID: key})
}

// maxKeptPages bounds for how many pages of a user rooms are kept: many times what
// anybody has open. A page that is closed says nothing, and would be kept until
// Prune.
const maxKeptPages = 500

// keptAfresh is how old a note of rooms may be when its page comes back, before it
// counts as new again: so Prune takes it from no page that goes on coming back.
const keptAfresh = 24 * time.Hour

// KeepRooms notes the rooms that a page joined, under a name of its private
// session id; no rooms forget it. Of a user with more than maxKeptPages the pages
// that joined rooms longest ago are forgotten.
func (s *Store) KeepRooms(ctx context.Context, userID, sessionKey string, rooms []string) error {
	if len(rooms) == 0 {
		_, err := s.exec(ctx, "DELETE FROM kept_rooms WHERE session_key = ? AND user_id = ?", sessionKey, userID)
		return err
	}
	b, _ := json.Marshal(rooms) // texts always marshal
	_, err := s.exec(ctx, `INSERT INTO kept_rooms (session_key, user_id, rooms, updated_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (session_key) DO UPDATE SET rooms = excluded.rooms, updated_at = excluded.updated_at`,
		sessionKey, userID, string(b), s.opts.Now().UnixMilli())
	if err != nil {
		return err
	}
	return s.boundKeptPages(ctx, userID)
}

// boundKeptPages writes only if there is something to forget.
func (s *Store) boundKeptPages(ctx context.Context, userID string) error {
	var pages int64
	err := s.one(ctx, s.r, "SELECT COUNT(*) FROM kept_rooms WHERE user_id = ?", []any{userID}, &pages)
	if err != nil || pages <= maxKeptPages {
		return err
	}
	_, err = s.exec(ctx, `DELETE FROM kept_rooms WHERE session_key IN (
		SELECT session_key FROM kept_rooms WHERE user_id = ? ORDER BY updated_at, session_key LIMIT ?)`, userID, pages-maxKeptPages)
	return err
}

// KeptRooms are those that KeepRooms noted last; none if it never did.
func (s *Store) KeptRooms(ctx context.Context, userID, sessionKey string) (rooms []string, err error) {
	var text string
	var at int64
	err = s.one(ctx, s.r, "SELECT rooms, updated_at FROM kept_rooms WHERE session_key = ? AND user_id = ?", []any{sessionKey, userID}, &text, &at)
	switch {
	case models.KindOf(err) == models.NotFound:
		return nil, nil
	case err != nil:
		return nil, err
	}
	if now := s.opts.Now(); fromMillis(at).Before(now.Add(-keptAfresh)) {
		if _, err = s.exec(ctx, "UPDATE kept_rooms SET updated_at = ? WHERE session_key = ?", now.UnixMilli(), sessionKey); err != nil {
			return nil, err
		}
	}
	return rooms, json.Unmarshal([]byte(text), &rooms)
}
