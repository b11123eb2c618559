package store

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/epoch"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
)

// connectTimeout bounds one attempt to reach PostgreSQL when the URL does not.
const connectTimeout = 5 * time.Second

func (s *Store) connectPostgres(ctx context.Context) error {
	cfg, err := pgx.ParseConfig(s.opts.URL)
	if err != nil {
		return &models.Error{Kind: models.Invalid, Msg: "DATABASE_URL is not a valid PostgreSQL URL", Err: err}
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	cfg.RuntimeParams["application_name"] = orDefault(cfg.RuntimeParams["application_name"], "expenseflow")
	cfg.OnPgError = s.timeline.KeepAfterError(cfg.OnPgError)
	choosePrimary(cfg, s.opts.URL)
	pool := stdlib.OpenDB(*cfg,
		stdlib.OptionAfterConnect(s.timeline.AfterConnect), stdlib.OptionResetSession(s.timeline.DiscardOutdated))
	pool.SetMaxOpenConns(s.opts.MaxConns + 1) // Moves keeps one
	pool.SetMaxIdleConns(s.opts.MaxConns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	pool.SetConnMaxLifetime(epoch.ConnLifetime)
	s.db.Dialect = dialect.Postgres{}
	s.db.LimitLongReads(s.opts.MaxConns / 2)
	if err := checkVersion(ctx, pool); err != nil {
		return errors.Join(serverProblem(cfg, err), pool.Close())
	}
	db, err := s.db.OpenGORM(postgres.New(postgres.Config{Conn: pool}))
	if err != nil {
		return errors.Join(serverProblem(cfg, err), pool.Close())
	}
	s.db.Writer, s.db.Reader, s.db.Long = db, db, db
	return nil
}

// choosePrimary has a URL of several hosts that does not say which of them to take lead to the
// one that takes changes.
func choosePrimary(cfg *pgx.ConnConfig, url string) {
	several := slices.ContainsFunc(cfg.Fallbacks, func(f *pgconn.FallbackConfig) bool {
		return f.Host != cfg.Host || f.Port != cfg.Port
	})
	if several && !strings.Contains(url, "target_session_attrs") {
		cfg.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
}

// oldestServer is PostgreSQL 13, the first with 64-bit transaction ids (moves.go).
const oldestServer = 130000

// checkVersion refuses a server that is too old.
func checkVersion(ctx context.Context, pool *sql.DB) error {
	var version int
	err := pool.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version)
	if err == nil && version < oldestServer {
		const msg = "PostgreSQL 13 or newer is needed, and this server is %d: upgrade it"
		return models.E(models.Invalid, fmt.Sprintf(msg, version/10000))
	}
	return err
}

// serverProblem says in one sentence why the server does not let us in, and
// what to try. It names host, user and database, never the password.
func serverProblem(cfg *pgx.ConnConfig, err error) error {
	where := fmt.Sprintf("%s:%d", cfg.Host, cfg.Port)
	msg := fmt.Sprintf("PostgreSQL at %s cannot be reached: check DATABASE_URL's host and port, and that the server runs", where)
	if models.KindOf(err) == models.Invalid {
		return err
	}
	var e *pgconn.PgError
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	switch {
	case errors.As(err, &e):
		msg = refusal(cfg, e)
	case strings.Contains(err.Error(), "server refused TLS connection"):
		msg = fmt.Sprintf("PostgreSQL at %s does not speak TLS: add sslmode=disable to DATABASE_URL, or turn TLS on in "+
			"the server", where)
	case errors.As(err, &unknown), errors.As(err, &hostname):
		msg = fmt.Sprintf("PostgreSQL at %s shows a certificate that is not trusted: add sslrootcert=FILE to "+
			"DATABASE_URL, or sslmode=require to encrypt without checking it", where)
	}
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
}

// refusal is serverProblem for a server that answered.
func refusal(cfg *pgx.ConnConfig, e *pgconn.PgError) string {
	where := fmt.Sprintf("PostgreSQL at %s:%d", cfg.Host, cfg.Port)
	switch {
	case e.Code == "28P01":
		return fmt.Sprintf("%s refuses the password of user %q: check DATABASE_URL", where, cfg.User)
	case e.Code == "28000" && strings.Contains(e.Message, "no encryption"):
		return fmt.Sprintf("%s wants TLS: use sslmode=require in DATABASE_URL", where)
	case e.Code == "28000" && strings.Contains(e.Message, "SSL encryption"):
		return fmt.Sprintf("%s refuses TLS for this user: use sslmode=disable in DATABASE_URL, or change its pg_hba.conf", where)
	case e.Code == "28000":
		return fmt.Sprintf("%s does not let user %q in: check DATABASE_URL and the server's pg_hba.conf", where, cfg.User)
	case e.Code == "3D000":
		return fmt.Sprintf("%s has no database %q: create it, or correct DATABASE_URL", where, cfg.Database)
	}
	return fmt.Sprintf("%s refuses the connection (%s)", where, e.Code)
}

// schemaProblem is an error of a migration in one sentence. PostgreSQL 15 and
// later let only a database's owner make tables in it, which hits newcomers.
func (s *Store) schemaProblem(msg string, err error) error {
	var e *pgconn.PgError
	cfg, parseErr := pgx.ParseConfig(s.opts.URL)
	if parseErr == nil && errors.As(err, &e) && e.Code == "42501" && strings.Contains(e.Message, "schema") {
		schema := orDefault(cfg.RuntimeParams["search_path"], "public")
		msg = fmt.Sprintf("PostgreSQL does not let user %q make tables in database %q: run there as its owner: GRANT "+
			"USAGE, CREATE ON SCHEMA %s TO %s",
			cfg.User, cfg.Database, schema, pgx.Identifier{cfg.User}.Sanitize())
	}
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
}
