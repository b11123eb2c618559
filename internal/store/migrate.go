package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/find"
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
	files, err := fs.Sub(migrations.FS, s.db.Name())
	if err != nil {
		return nil, err
	}
	pool, err := s.db.Writer.DB()
	if err != nil {
		return nil, err
	}
	gooseDialect := goose.DialectSQLite3
	if !s.db.OnSQLite() {
		gooseDialect = goose.DialectPostgres
	}
	return goose.NewProvider(gooseDialect, pool, files, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// underMigrationLock runs fn while no other process that started with us does: on PostgreSQL
// under an advisory lock of the schema in use, which ends with its connection;
// SQLite's file belongs to one process anyway.
func (s *Store) underMigrationLock(ctx context.Context, fn func() error) error {
	if s.db.OnSQLite() {
		return fn()
	}
	patient, cancel := context.WithTimeout(ctx, migrationPatience)
	defer cancel()
	conn, err := database.Connection(patient, s.db.Writer)
	if err != nil {
		return s.db.Fail(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(patient, "SELECT pg_advisory_lock(hashtext('expenseflow ' || current_schema()))"); err != nil {
		const msg = "Another process has been changing the database's schema for too long"
		return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
	}
	err = fn()
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), unlockAtMost)
	defer stop()
	_, unlockErr := conn.ExecContext(ctx, "SELECT pg_advisory_unlock(hashtext('expenseflow ' || current_schema()))")
	return errors.Join(err, s.db.Fail(unlockErr))
}

// migrationPatience is how long a process waits for another one's migration.
const migrationPatience = 5 * time.Minute

// unlockAtMost is how long a process waits for the server to release the lock.
const unlockAtMost = 5 * time.Second

// refuseNewer refuses a schema that a newer program made.
func (s *Store) refuseNewer(ctx context.Context, p *goose.Provider) error {
	newest := newestMigration(p)
	found, err := p.GetDBVersion(ctx)
	if err != nil {
		return s.schemaProblem("The database's schema version cannot be read", err)
	}
	if found > newest {
		return &SchemaError{found, newest}
	}
	return nil
}

// Migrated returns nil if the schema still has every migration of this program: an older
// backup may have been restored since the database was opened. Later migrations of a newer
// process are fine. It asks the database each time; its error is returned unchanged.
func (s *Store) Migrated(ctx context.Context) error {
	p, err := s.migrations()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	live, err := s.appliedMigration(ctx)
	if err != nil {
		return err
	}
	if ours := newestMigration(p); live < ours {
		return fmt.Errorf("the schema is of version %d, this program needs %d", live, ours)
	}
	return nil
}

// VersionTable is where goose keeps which migrations were applied.
const VersionTable = "goose_db_version"

func (s *Store) appliedMigration(ctx context.Context) (int64, error) {
	return find.One[int64](s.db.Read(ctx).Table(VersionTable).Select("COALESCE(MAX(version_id), 0)"))
}

// newestMigration is the version of the schema that this program makes.
func newestMigration(p *goose.Provider) int64 {
	sources := p.ListSources()
	return sources[len(sources)-1].Version
}
