package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"
)

// Epoch names this life of the database. A backup that was restored, a standby that was
// promoted and may lack what was acknowledged, or another database has another one, so
// that positions in the old log, and moments of it, mean nothing.
//
// The table meta keeps it as 'epoch', with 'epoch_began' (milliseconds since 1970, see
// models.LogState; absent before schema 9) and PostgreSQL's 'timeline' (eight hex digits).
func (s *Store) Epoch(ctx context.Context) (string, error) {
	var epoch string
	err := s.one(ctx, s.r, "SELECT value FROM meta WHERE key = 'epoch'", nil, &epoch)
	return epoch, err
}

// NewEpoch begins a new life of the database, after a backup was restored.
func (s *Store) NewEpoch(ctx context.Context) (string, error) {
	epoch := randomEpoch()
	_, err := s.exec(ctx, "INSERT INTO meta (key, value) VALUES ('epoch', ?), ('epoch_began', ?) "+
		"ON CONFLICT (key) DO UPDATE SET value = excluded.value", epoch, s.beginning())
	if err == nil {
		err = s.readEpoch(ctx)
	}
	return epoch, err
}

// ensureEpoch begins the first epoch of a new database.
func (s *Store) ensureEpoch(ctx context.Context) error {
	n, err := s.exec(ctx, "INSERT INTO meta (key, value) VALUES ('epoch', ?) ON CONFLICT (key) DO NOTHING", randomEpoch())
	if err == nil && n > 0 {
		_, err = s.exec(ctx, "INSERT INTO meta (key, value) VALUES ('epoch_began', ?) ON CONFLICT (key) DO NOTHING", s.beginning())
	}
	if err != nil {
		return err
	}
	return s.readEpoch(ctx)
}

// readEpoch notes when the epoch began: no transaction is of that moment or before,
// whatever the clock of its process shows.
func (s *Store) readEpoch(ctx context.Context) error {
	var began string
	err := s.one(ctx, s.w, "SELECT COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), '')", nil, &began)
	if err == nil {
		s.began.Store(parseMoment(began).UnixMilli())
	}
	return err
}

// beginning is the last moment before now, as the table meta keeps it.
func (s *Store) beginning() string { return strconv.FormatInt(s.opts.Now().UnixMilli()-1, 10) }

func randomEpoch() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// parseMoment reads what beginning wrote; the zero-most moment of 1970 for anything else.
func parseMoment(s string) time.Time {
	ms, _ := strconv.ParseInt(s, 10, 64)
	return fromMillis(ms)
}
