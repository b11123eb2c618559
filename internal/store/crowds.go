package store

import (
	"context"
	"time"
)

// What one user may have of rows that nobody sees and that come with every request:
// far more than a person makes in the time for which they are kept (see Prune).
const (
	maxRemembered    = 200_000 // applied operations, aliases and posts, each
	maxDevices       = 1_000
	maxNotifications = 1_000
	maxLogged        = 500_000 // changes; a device that knows only older ones begins anew
)

// A crowdRule bounds the rows of a user in a table: the newest are kept.
type crowdRule struct {
	table, key, age string
	where           string // the rows that count
	most            int
}

var crowdRules = []crowdRule{
	{"operations", operationTable.key, "updated_at", "state <> 'parked'", maxRemembered},
	{"aliases", aliasTable.key, "created_at", "true", maxRemembered},
	{"posted_creates", postTable.key, "received_at", "true", maxRemembered},
	{"devices", deviceTable.key, "last_acted", "true", maxDevices},
	{"user_devices", "user_id, device_id, token_key", "last_seen", "true", maxDevices},
}

// crowded selects at most so many users who have more rows than so many.
func (c *crowdRule) crowded() string {
	return "SELECT user_id FROM " + c.table + " WHERE " + c.where + " GROUP BY user_id HAVING COUNT(*) > ? LIMIT ?"
}

// trim removes at most so many rows of a user that are older than the newest so many.
func (c *crowdRule) trim() string {
	return "DELETE FROM " + c.table + " WHERE (" + c.key + ") IN (SELECT " + c.key + " FROM " + c.table +
		" WHERE user_id = ? AND " + c.where + " ORDER BY " + c.age + " DESC LIMIT ? OFFSET ?)"
}

// PruneCrowds removes the oldest rows of users who have more of a kind than anybody
// needs, at most limit of each kind, and tells how many in all. The newest rows stay,
// and no row that a person has to decide about is touched.
func (s *Store) PruneCrowds(ctx context.Context, limit int) (total int64, err error) {
	for _, c := range crowdRules {
		n, err := s.pruneCrowd(ctx, c, limit)
		if total += n; err != nil {
			return total, err
		}
	}
	n, err := s.pruneOldest(ctx, crowdedNotifications, maxNotifications, limit, (*Tx).pruneNotifications)
	if total += n; err != nil {
		return total, err
	}
	n, err = s.pruneOldest(ctx, crowdedLogs, maxLogged, limit, (*Tx).pruneLog)
	return total + n, err
}

func (s *Store) pruneCrowd(ctx context.Context, c crowdRule, limit int) (total int64, err error) {
	users, err := s.usersOf(ctx, c.crowded(), c.most, limit)
	for _, userID := range users {
		if err != nil || total >= int64(limit) {
			break
		}
		var n int64
		n, err = s.exec(ctx, c.trim(), userID, limit-int(total), c.most)
		total += n
	}
	return total, err
}

// A crowdQuery is for rows that are removed under their user's lock.
type crowdQuery struct {
	users string // selects users with more rows than so many
	newer string // selects when the first row was made that a user has too many of
}

var (
	crowdedNotifications = crowdQuery{
		"SELECT user_id FROM notifications GROUP BY user_id HAVING COUNT(*) > ? LIMIT ?",
		"SELECT created_at FROM notifications WHERE user_id = ? ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?",
	}
	crowdedLogs = crowdQuery{
		"SELECT id FROM users WHERE seq - log_start > ? LIMIT ?",
		"SELECT at FROM changes WHERE user_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
	}
)

// pruneOldest has what a user has beyond most forgotten, at most limit rows.
func (s *Store) pruneOldest(ctx context.Context, q crowdQuery, most, limit int, forget func(*Tx, time.Time, int) (int64, error)) (total int64, err error) {
	users, err := s.usersOf(ctx, q.users, most, limit)
	for _, userID := range users {
		if err != nil || total >= int64(limit) {
			break
		}
		var at int64
		if err = s.one(ctx, s.r, q.newer, []any{userID, most}, &at); err != nil {
			break
		}
		var n int64
		err = s.Write(ctx, userID, func(tx *Tx) (err error) {
			n, err = forget(tx, fromMillis(at+1), limit-int(total))
			return err
		})
		total += n
	}
	return total, err
}

// usersOf are the users that a query with these parameters selects.
func (s *Store) usersOf(ctx context.Context, query string, args ...any) (users []string, err error) {
	err = s.rows(ctx, s.r, query, args, func(row scanner) error {
		var id string
		err := row.Scan(&id)
		users = append(users, id)
		return err
	})
	return users, err
}
