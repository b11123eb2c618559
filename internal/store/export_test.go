package store

import (
	"context"
	"errors"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/pipeline"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Shapes describes every live table in words that both engines share.
func (s *Store) Shapes(ctx context.Context) (map[string]map[string]string, error) {
	all := map[string]map[string]string{}
	for _, row := range rowTypes {
		table := rows.Of(row).Name
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
	_, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Exec(query, args...) })
	return err
}

// Exec runs a statement inside the transaction.
func (tx *Tx) Exec(query string, args ...any) error { return tx.exec(query, args...) }

// Count is how many rows a table has.
func (s *Store) Count(ctx context.Context, table string) (n int64, err error) {
	err = s.db.Read(ctx).Table(table).Count(&n).Error
	return n, err
}

// ShareFor makes commits be shared for this long.
func (s *Store) ShareFor(d time.Duration) {
	s.db.Queue = pipeline.NewCommitQueue(func() pipeline.Connection { return &sqliteConnection{s: s} }, d)
}

// LongReadsAwaited reports whether anybody waits for a place for long reads.
func (s *Store) LongReadsAwaited() bool { return s.db.LongReadsAwaited() }

// Waiting is how many writers wait for SQLite's connection.
func (s *Store) Waiting() int { return s.db.Queue.Waiting() }

// HeadsAtOneMoment runs fn with a function that tells the head of a user's log as one
// snapshot sees it.
func (s *Store) HeadsAtOneMoment(ctx context.Context, fn func(head func() int64), userID string) error {
	return s.db.Snapshot(ctx, func(db *gorm.DB) (err error) {
		fn(func() int64 {
			u, failed := find.User(db, "id = ?", userID)
			err = errors.Join(err, failed)
			return u.Seq
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

// EndTokens ends every token of the user.
func (tx *Tx) EndTokens() error { return tx.endTokens(map[string]any{}) }

// Revoke refuses a token as RevokeToken does.
func (tx *Tx) Revoke(key string, until time.Time) error {
	return tx.revoke(key, until)
}

// TablesOfUsers are all tables whose rows name a user, with the columns that do.
func (s *Store) TablesOfUsers(ctx context.Context) (map[string][]string, error) {
	tables := map[string][]string{}
	for _, row := range rowTypes {
		table := rows.Of(row).Name
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
	err = s.db.Read(ctx).Table(table).Where(column+" = ?", value).Count(&n).Error
	return n, err
}

// Setting is a setting of PostgreSQL as it is on a connection of the pool.
func (s *Store) Setting(ctx context.Context, name string) (string, error) {
	return find.One[string](s.db.Read(ctx).Raw("SELECT current_setting(?)", name))
}

// ForgetTimeline has the next new connection lead to a server of another timeline.
func (s *Store) ForgetTimeline() { s.timeline.Saw("00000000") }

// Backend is the process of the server that a connection of the pool leads to.
func (s *Store) Backend(ctx context.Context) (int64, error) {
	return find.One[int64](s.db.Read(ctx).Raw("SELECT pg_backend_pid()"))
}

// Backend is that of the transaction's connection.
func (tx *Tx) Backend() (int64, error) {
	pid, _, err := oneIn[int64](tx, tx.orm().Raw("SELECT pg_backend_pid()"))
	return pid, err
}

// KeepIdle bounds how many idle connections the pool keeps.
func (s *Store) KeepIdle(n int) {
	if pool, err := s.db.Writer.DB(); err == nil {
		pool.SetMaxIdleConns(n)
	}
}

// TokenRevoked reports whether RevokeToken was called for this token.
func (s *Store) TokenRevoked(ctx context.Context, tokenKey string) (bool, error) {
	u, err := find.One[models.User](s.db.Read(ctx).Limit(1))
	if err != nil {
		return false, err
	}
	_, revoked, err := s.BearerOf(ctx, u.ID, tokenKey)
	return revoked, err
}

// PlanOfUnreadFrom is how SQLite finds what UnreadFrom returns.
func (s *Store) PlanOfUnreadFrom(ctx context.Context) (plan string, err error) {
	query := s.db.Read(ctx).ToSQL(func(db *gorm.DB) *gorm.DB {
		return unreadFrom(db, "user", "actor", models.NotifyEdited).Limit(1).Find(&[]models.Notification{})
	})
	var lines []struct{ Detail string }
	err = s.db.Read(ctx).Raw("EXPLAIN QUERY PLAN " + query).Scan(&lines).Error
	for _, l := range lines {
		plan += l.Detail
	}
	return plan, err
}
