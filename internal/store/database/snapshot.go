package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"gorm.io/gorm"
)

// Snapshot runs fn with a session on one reading connection, which sees the database as it is
// at fn's first statement: several statements read what is true at one moment. It locks nobody
// out: on SQLite it must not be a transaction of database/sql, for those take the writer's lock
// (_txlock).
func (db *DB) Snapshot(ctx context.Context, fn func(*gorm.DB) error) error {
	return db.SnapshotOn(ctx, db.Reader, fn)
}

// LongSnapshot is Snapshot on one of the connections for long reads of a user. fn returns
// how many rows it read.
func (db *DB) LongSnapshot(ctx context.Context, userID string, fn func(*gorm.DB) (int64, error)) error {
	done, err := db.LongRead(ctx, userID)
	if err != nil {
		return err
	}
	var rows int64
	defer func() { done(rows) }()
	return db.SnapshotOn(ctx, db.Long, func(session *gorm.DB) (err error) {
		rows, err = fn(session)
		return err
	})
}

// SnapshotOn is Snapshot on a connection of this pool, without a place for long reads.
func (db *DB) SnapshotOn(ctx context.Context, pool *gorm.DB, fn func(*gorm.DB) error) error {
	session, end, err := db.OpenSnapshot(ctx, pool)
	if err != nil {
		return err
	}
	defer end()
	return fn(session)
}

// OpenSnapshot takes a connection of the pool for a snapshot. The caller must call end.
func (db *DB) OpenSnapshot(ctx context.Context, pool *gorm.DB) (session *gorm.DB, end func(), err error) {
	conn, err := Connection(ctx, pool)
	if err != nil {
		return nil, nil, db.Fail(err)
	}
	if _, err := conn.ExecContext(ctx, db.BeginRead()); err != nil {
		return nil, nil, db.Fail(errors.Join(err, conn.Close()))
	}
	session = pool.Session(&gorm.Session{NewDB: true, Context: ctx})
	session.Statement.ConnPool = conn
	return session, func() {
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
