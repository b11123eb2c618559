package store

import (
	"context"
	"time"
)

// Prune forgets what is older than before and no longer needed beside the logs:
// operations, those that nobody decided about in all that time too, names of devices
// for expenses, unclaimed posts, rooms of pages that did not come back, notifications;
// and tokens that have expired by now. It
// removes at most limit rows of each kind and tells how many in all; whoever calls
// it again until it says 0 never holds a lock for long.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (total int64, err error) {
	for _, old := range perishable {
		than := before
		if old.byItself {
			than = s.opts.Now()
		}
		n, err := s.exec(ctx, old.delete(), than.UnixMilli(), limit)
		if err != nil {
			return total, err
		}
		total += n
	}
	n, err := s.pruneUsers(ctx, oldNotifications, before, limit, (*Tx).pruneNotifications)
	return total + n, err
}

// A perish says which rows of a table are old, and whether they name the end of
// their use themselves.
type perish struct {
	table, key, where string
	byItself          bool
}

var perishable = []perish{
	{"operations", operationTable.key, "updated_at < ?", false},
	{"posted_creates", postTable.key, "received_at < ?", false},
	{"aliases", aliasTable.key, "created_at < ?", false},
	{"shares", "expense_id, user_id", "role = '' AND updated_at < ?", false}, // that had ended when those were still kept
	{"kept_rooms", "session_key", "updated_at < ?", false},
	{"revoked_tokens", "token_key", "expires_at < ?", true},
	{"invitations", "id", "state = 'gone' AND ends_at < ?", true},
	{"user_devices", "user_id, device_id, token_key", "expires_at < ?", true},
}

// delete is a statement; its parameters are the age and how many rows at most.
func (p perish) delete() string {
	return "DELETE FROM " + p.table + " WHERE (" + p.key + ") IN (SELECT " + p.key + " FROM " + p.table + " WHERE " + p.where + " LIMIT ?)"
}

// PruneLogs cuts what is older than before off the logs, so that a log stays
// without holes and always knows where it starts. Like Prune, it removes at most
// limit changes and tells how many.
func (s *Store) PruneLogs(ctx context.Context, before time.Time, limit int) (total int64, err error) {
	return s.pruneUsers(ctx, longLogs, before, limit, (*Tx).pruneLog)
}

// longLogs finds users whose oldest change is older than a moment.
const longLogs = "SELECT id FROM users WHERE log_start < seq AND " +
	"(SELECT at FROM changes WHERE user_id = users.id AND changes.seq = users.log_start + 1) < ? LIMIT ?"

// pruneUsers has what is older than before forgotten, at most limit rows, user by
// user under their locks. which is a query of at most so many users who have some.
func (s *Store) pruneUsers(ctx context.Context, which string, before time.Time, limit int, forget func(*Tx, time.Time, int) (int64, error)) (total int64, err error) {
	users, err := s.usersOf(ctx, which, before.UnixMilli(), limit)
	for _, userID := range users {
		if err != nil || total >= int64(limit) {
			break
		}
		var n int64
		err = s.Write(ctx, userID, func(tx *Tx) (err error) {
			n, err = forget(tx, before, limit-int(total))
			return err
		})
		if err == nil {
			total += n
		}
	}
	return total, err
}

// pruneLog removes the oldest changes, at most limit.
func (tx *Tx) pruneLog(before time.Time, limit int) (n int64, err error) {
	end := tx.user.LogStart
	query := "SELECT COALESCE(MAX(seq), 0) FROM changes WHERE user_id = ? AND seq > ? AND seq <= ? AND at < ?"
	args := []any{tx.user.ID, tx.user.LogStart, tx.user.LogStart + int64(limit), before.UnixMilli()}
	if err := tx.query(query, args, func(row scanner) error { return row.Scan(&end) }); err != nil {
		return 0, err
	}
	if end <= tx.user.LogStart {
		return 0, nil
	}
	if err := tx.exec("DELETE FROM changes WHERE user_id = ? AND seq <= ?", tx.user.ID, end); err != nil {
		return 0, err
	}
	return end - tx.user.LogStart, tx.exec("UPDATE users SET log_start = ? WHERE id = ?", end, tx.user.ID)
}
