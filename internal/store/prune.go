package store

import (
	"context"
	"time"
)

// Prune forgets what is older than before and no longer needed: operations that
// were applied or discarded, names of devices for expenses, unclaimed posts;
// and tokens that have expired by now. Parked operations stay until a person
// decides. It removes at most limit rows of each kind and tells how many in all:
// whoever calls it again until it says 0 never holds a lock for long.
func (s *Store) Prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	var total int64
	for _, p := range []struct {
		table, key, where string
		than              time.Time
	}{
		{"operations", "id", "state <> 'parked' AND updated_at < ?", before},
		{"posted_creates", "expense_id", "received_at < ?", before},
		{"revoked_tokens", "token_key", "expires_at < ?", s.opts.Now()},
		{"aliases", "user_id, temp_id, device_id", "created_at < ?", before},
	} {
		query := "DELETE FROM " + p.table + " WHERE (" + p.key + ") IN (SELECT " + p.key + " FROM " + p.table + " WHERE " + p.where + " LIMIT ?)"
		n, err := s.exec(ctx, query, p.than.UnixMilli(), limit)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}
