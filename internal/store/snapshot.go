package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"expenseflow/models"

	"gorm.io/gorm"
)

// A snapshot reads with several statements what is true at one moment.
type snapshot struct {
	s  *Store
	db *gorm.DB
}

// snapshot runs fn on one reading connection, which sees the database as it is at
// fn's first statement. It locks nobody out: on SQLite it must not be a
// transaction of database/sql, for those take the writer's lock (_txlock).
func (s *Store) snapshot(ctx context.Context, fn func(*snapshot) error) error {
	return s.snapshotOn(ctx, s.r, fn)
}

// longSnapshot is snapshot on one of the connections for long reads of a user. fn returns
// how many rows it read.
func (s *Store) longSnapshot(ctx context.Context, userID string, fn func(*snapshot) (int64, error)) error {
	done, err := s.longRead(ctx, userID)
	if err != nil {
		return err
	}
	var rows int64
	defer func() { done(rows) }()
	return s.snapshotOn(ctx, s.long, func(v *snapshot) (err error) {
		rows, err = fn(v)
		return err
	})
}

func (s *Store) snapshotOn(ctx context.Context, pool *gorm.DB, fn func(*snapshot) error) error {
	v, end, err := s.openSnapshot(ctx, pool)
	if err != nil {
		return err
	}
	defer end()
	return fn(v)
}

// openSnapshot takes a connection of the pool for a snapshot. The caller must call end.
func (s *Store) openSnapshot(ctx context.Context, pool *gorm.DB) (v *snapshot, end func(), err error) {
	conn, err := connection(ctx, pool)
	if err != nil {
		return nil, nil, fail(s.d, err)
	}
	if _, err := conn.ExecContext(ctx, s.d.BeginRead()); err != nil {
		return nil, nil, fail(s.d, errors.Join(err, conn.Close()))
	}
	db := pool.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = conn
	return &snapshot{s: s, db: db}, func() {
		endRead(context.WithoutCancel(ctx), conn)
		_ = conn.Close() // to the pool
	}, nil
}

// endRead ends the transaction; a connection on which that fails is of no more use.
func endRead(ctx context.Context, conn *sql.Conn) {
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // makes the pool drop it
	}
}

// user is the user of this id at the snapshot's moment; models.NotFound if they are gone.
func (v *snapshot) user(id string) (models.User, error) { return userWhere(v.db, "id = ?", id) }
