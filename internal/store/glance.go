package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

	"expenseflow/models"

	"gorm.io/gorm"
)

// A glance reads with several statements what is true at one moment.
type glance struct {
	ctx context.Context
	s   *Store
	db  *gorm.DB
}

// glance runs fn on one reading connection, which sees the database as it is at
// fn's first statement. It locks nobody out: on SQLite it must not be a
// transaction of database/sql, for those take the writer's lock (_txlock).
func (s *Store) glance(ctx context.Context, fn func(*glance) error) error {
	return s.glanceOn(ctx, s.r, fn)
}

// longGlance is glance on one of the connections for long reads of a user. fn gives
// how many rows it had looked at.
func (s *Store) longGlance(ctx context.Context, userID string, fn func(*glance) (int64, error)) error {
	done, err := s.longRead(ctx, userID)
	if err != nil {
		return err
	}
	var rows int64
	defer func() { done(rows) }()
	return s.glanceOn(ctx, s.long, func(g *glance) (err error) {
		rows, err = fn(g)
		return err
	})
}

func (s *Store) glanceOn(ctx context.Context, pool *gorm.DB, fn func(*glance) error) error {
	conn, err := connection(ctx, pool)
	if err != nil {
		return fail(s.d, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, s.d.beginRead()); err != nil {
		return fail(s.d, err)
	}
	defer endRead(context.WithoutCancel(ctx), conn)
	db := pool.Session(&gorm.Session{NewDB: true, Context: ctx})
	db.Statement.ConnPool = conn
	return fn(&glance{ctx: ctx, s: s, db: db})
}

// endRead ends the transaction; a connection on which that fails is of no more use.
func endRead(ctx context.Context, conn *sql.Conn) {
	if _, err := conn.ExecContext(ctx, "COMMIT"); err != nil {
		_ = conn.Raw(func(any) error { return driver.ErrBadConn }) // makes the pool drop it
	}
}

func (g *glance) one(query string, args []any, dest ...any) error {
	return g.s.one(g.ctx, g.db, query, args, dest...)
}

func (g *glance) rows(query string, args []any, fn func(scanner) error) error {
	return g.s.rows(g.ctx, g.db, query, args, fn)
}

// user is the user of this id at the glance's moment; models.NotFound if they are gone.
func (g *glance) user(id string) (models.User, error) {
	var r userRow
	if err := g.one("SELECT "+userColumns+" FROM users WHERE id = ?", []any{id}, r.dest()...); err != nil {
		return models.User{}, noUser(err)
	}
	return r.user(), nil
}
