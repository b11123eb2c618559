package store

import (
	"context"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"

	"expenseflow/internal/store/migrations"
	"expenseflow/models"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// migrate applies what the schema lacks. Processes that start together on
// PostgreSQL wait for each other with an advisory lock; SQLite's file belongs
// to one process.
func (s *Store) migrate(ctx context.Context) error {
	p, err := s.migrations(ctx)
	if err != nil {
		return fmt.Errorf("read migrations: %w", fail(s.d, err))
	}
	if err := refuseNewer(ctx, p); err != nil {
		return err
	}
	done, err := p.Up(ctx)
	if err != nil {
		return &models.Error{Kind: models.Unavailable, Msg: "The database's schema cannot be brought up to date", Err: err}
	}
	for _, m := range done {
		s.log.InfoContext(ctx, "schema migrated", slog.Int64("version", m.Source.Version), slog.Duration("took", m.Duration))
	}
	return nil
}

func (s *Store) migrations(ctx context.Context) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.FS, s.d.name())
	if err != nil {
		return nil, err
	}
	pool, err := s.w.DB()
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger())}
	if s.gate != nil {
		return goose.NewProvider(goose.DialectSQLite3, pool, files, options...)
	}
	locker, err := s.schemaLock(ctx)
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, pool, files, append(options, goose.WithSessionLocker(locker))...)
}

// schemaLock is an advisory lock of the database schema in use.
func (s *Store) schemaLock(ctx context.Context) (lock.SessionLocker, error) {
	var schema string
	if err := s.one(ctx, s.w, "SELECT current_schema()", nil, &schema); err != nil {
		return nil, err
	}
	id := int64(crc32.ChecksumIEEE([]byte("expenseflow " + schema)))
	return lock.NewPostgresSessionLocker(lock.WithLockID(id), lock.WithLockTimeout(1, 120))
}

// refuseNewer refuses a schema that a newer program made.
func refuseNewer(ctx context.Context, p *goose.Provider) error {
	var newest int64
	for _, m := range p.ListSources() {
		newest = max(newest, m.Version)
	}
	found, err := p.GetDBVersion(ctx)
	if err != nil {
		return &models.Error{Kind: models.Unavailable, Msg: "The database's schema version cannot be read", Err: err}
	}
	if found > newest {
		return models.E(models.Unavailable, fmt.Sprintf(
			"The database was made by a newer version of this program (schema %d, this program knows up to %d): start that version", found, newest))
	}
	return nil
}
