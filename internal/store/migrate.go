package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"expenseflow/internal/store/migrations"
	"expenseflow/models"

	"github.com/pressly/goose/v3"
)

// migrate applies what the schema lacks.
func (s *Store) migrate(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	if err := s.refuseNewer(ctx, p); err != nil {
		return err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return s.schemaProblem("The database's schema cannot be brought up to date", err)
	}
	for _, m := range done {
		s.log.InfoContext(ctx, "schema migrated", slog.Int64("version", m.Source.Version), slog.Duration("took", m.Duration))
	}
	return nil
}

func (s *Store) migrations() (*goose.Provider, error) {
	files, err := fs.Sub(migrations.FS, s.d.name())
	if err != nil {
		return nil, err
	}
	pool, err := s.w.DB()
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	if s.line == nil {
		dialect = goose.DialectPostgres
	}
	return goose.NewProvider(dialect, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// alone runs fn while no other process that started with us does: on PostgreSQL
// under an advisory lock of the schema in use, which ends with its connection;
// SQLite's file belongs to one process anyway.
func (s *Store) alone(ctx context.Context, fn func() error) error {
	if s.line != nil {
		return fn()
	}
	ctx, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	conn, err := connection(ctx, s.w)
	if err != nil {
		return fail(s.d, err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock(hashtext('expenseflow ' || current_schema()))"); err != nil {
		return &models.Error{Kind: models.Unavailable, Msg: "Another process has been changing the database's schema for too long", Err: err}
	}
	err = fn()
	_, unlockErr := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtext('expenseflow ' || current_schema()))")
	return errors.Join(err, fail(s.d, unlockErr))
}

// migrationPatience is how long a process waits for another one's migration.
const migrationPatience = 5 * time.Minute

// refuseNewer refuses a schema that a newer program made.
func (s *Store) refuseNewer(ctx context.Context, p *goose.Provider) error {
	var newest int64
	for _, m := range p.ListSources() {
		newest = max(newest, m.Version)
	}
	found, err := p.GetDBVersion(ctx)
	if err != nil {
		return s.schemaProblem("The database's schema version cannot be read", err)
	}
	if found > newest {
		return models.E(models.Unavailable, fmt.Sprintf(
			"The database was made by a newer version of this program (schema %d, this program knows up to %d): start that version", found, newest))
	}
	return nil
}
