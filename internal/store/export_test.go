package store

import (
	"context"
	"errors"
	"time"
)

// Shapes describes every live table in words that both engines share.
func (s *Store) Shapes(ctx context.Context) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, row := range rowTypes {
		table := row.(interface{ TableName() string }).TableName()
		words, err := s.describe(ctx, table)
		if err != nil {
			return nil, err
		}
		all[table] = words
	}
	return all, nil
}

// Exec runs a statement on the writing connection.
func (s *Store) Exec(ctx context.Context, query string, args ...any) error {
	_, err := s.exec(ctx, query, args...)
	return err
}

// Exec runs a statement inside the transaction.
func (tx *Tx) Exec(query string, args ...any) error { return tx.exec(query, args...) }

// What escaping names and encoding payloads is tested by.
var (
	Storable     = storable
	Original     = original
	EncodeResult = encodeResult
	DecodeResult = decodeResult
)

// Count is how many rows a table has.
func (s *Store) Count(ctx context.Context, table string) (n int64, err error) {
	err = s.one(ctx, s.r, "SELECT COUNT(*) FROM "+table, nil, &n)
	return n, err
}

// ShareFor makes commits be shared for this long.
func (s *Store) ShareFor(d time.Duration) { s.line.span = d }

// Waiting is how many stand in line.
func (s *Store) Waiting() int {
	s.line.mu.Lock()
	defer s.line.mu.Unlock()
	return len(s.line.waiting)
}

// Glance runs fn with a function that tells the head of a user's log as one
// glance sees it.
func (s *Store) Glance(ctx context.Context, fn func(head func() int64), userID string) error {
	return s.glance(ctx, func(g *glance) (err error) {
		fn(func() (seq int64) {
			err = errors.Join(err, g.one("SELECT seq FROM users WHERE id = ?", []any{userID}, &seq))
			return seq
		})
		return err
	})
}

// MigrateDownTo undoes the migrations after a version.
func (s *Store) MigrateDownTo(ctx context.Context, version int64) error {
	p, err := s.migrations()
	if err != nil {
		return err
	}
	_, err = p.DownTo(ctx, version)
	return err
}

// Revoke refuses a token as RevokeToken does.
func (tx *Tx) Revoke(key string, until time.Time) error {
	tx.revoke(key, until)
	return tx.failed
}

// TablesOfUsers are all tables whose rows name a user, with the columns that do.
func (s *Store) TablesOfUsers(ctx context.Context) (map[string][]string, error) {
	tables := map[string][]string{}
	for _, row := range rowTypes {
		table := row.(interface{ TableName() string }).TableName()
		live, err := s.describe(ctx, table)
		if err != nil {
			return nil, err
		}
		for _, column := range []string{"user_id", "other_id"} {
			if _, ok := live["column "+column]; ok {
				tables[table] = append(tables[table], column)
			}
		}
	}
	return tables, nil
}

// CountWhere is how many rows of a table have a value in a column.
func (s *Store) CountWhere(ctx context.Context, table, column, value string) (n int64, err error) {
	err = s.one(ctx, s.r, "SELECT COUNT(*) FROM "+table+" WHERE "+column+" = ?", []any{value}, &n)
	return n, err
}
