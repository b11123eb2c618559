package pubsub

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Postgres is a Broker on PostgreSQL. It needs a direct connection: behind a pooler of
// transactions LISTEN hears nothing.
type Postgres struct {
	cfg     *pgx.ConnConfig
	setting string // the name of the setting with the URL, for messages

	mu   sync.Mutex
	kept *pgx.Conn // for what is sent; nil while there is none
}

// OpenPostgres makes a Broker of a URL, which the setting of that name has. application is
// the name of its connections in pg_stat_activity. It connects with the first use.
func OpenPostgres(address, setting, application string) (*Postgres, error) {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, models.E(models.Invalid, setting+" is not a valid PostgreSQL URL")
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectTimeout
	}
	cfg.RuntimeParams["application_name"] = application
	return &Postgres{cfg: cfg, setting: setting}, nil
}

// Check implements Broker.
func (p *Postgres) Check(ctx context.Context, channel string) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if err := listen(ctx, conn, []string{channel}); err != nil {
		return p.problem(err)
	}
	return nil
}

// problem says in one sentence why the server does not let us in, and what to do.
func (p *Postgres) problem(err error) error {
	where := fmt.Sprintf("PostgreSQL at %s:%d", p.cfg.Host, p.cfg.Port)
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch {
		case strings.HasPrefix(e.Code, "28"):
			msg := fmt.Sprintf("%s does not let user %q in: correct %s", where, p.cfg.User, p.setting)
			return &models.Error{Kind: models.Invalid, Msg: msg, Err: err}
		case e.Code == "3D000":
			msg := fmt.Sprintf("%s has no database %q: correct %s", where, p.cfg.Database, p.setting)
			return &models.Error{Kind: models.Invalid, Msg: msg, Err: err}
		}
	}
	msg := where + " cannot be reached for notifications: check the host and port in " + p.setting + ", and that the server runs"
	return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
}

func (p *Postgres) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, p.cfg)
	if err != nil {
		return nil, p.problem(err)
	}
	return conn, nil
}

// closeConn closes a connection, within a time that does not depend on the server.
func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), replyTimeout)
	defer cancel()
	_ = conn.Close(ctx) // it is not used again
}

func listen(ctx context.Context, conn *pgx.Conn, channels []string) error {
	for _, channel := range channels {
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
	}
	return nil
}

// Listen implements Broker. Patterns are not listened to.
func (p *Postgres) Listen(ctx context.Context, to Channels, subscribed func(), received func(channel, payload string)) error {
	conn, err := p.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	if err := listen(ctx, conn, to.Names); err != nil {
		return p.problem(err)
	}
	subscribed()
	for {
		n, err := nextNotification(ctx, conn)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return p.problem(err)
		case n != nil:
			received(n.Channel, n.Payload)
		}
	}
}

// nextNotification returns nil if the server was silent and still answers.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	waiting, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	if err == nil || waiting.Err() == nil || ctx.Err() != nil {
		return n, err
	}
	asking, stop := context.WithTimeout(ctx, replyTimeout)
	defer stop()
	return nil, conn.Ping(asking)
}

// notify sends all messages in one transaction, whose commit waits for no disk: a message
// that is lost in a crash of the server is one that is lost.
const notify = "SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload"

// Publish implements Broker.
func (p *Postgres) Publish(ctx context.Context, channel string, payloads []string) error {
	return p.use(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, notify, channel, payloads)
		return err
	})
}

// Exec runs a statement.
func (p *Postgres) Exec(ctx context.Context, statement string, args ...any) error {
	return p.use(ctx, func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, statement, args...)
		return err
	})
}

// ReadBytes returns the bytes that a query selects; nil if there is no row.
func (p *Postgres) ReadBytes(ctx context.Context, query string, args ...any) (value []byte, err error) {
	err = p.use(ctx, func(conn *pgx.Conn) error {
		if err := conn.QueryRow(ctx, query, args...).Scan(&value); !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		return nil
	})
	return value, err
}

// use calls do with the connection that is kept, which is made if there is none, and closes
// it after an error.
func (p *Postgres) use(ctx context.Context, do func(*pgx.Conn) error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept == nil || p.kept.IsClosed() {
		conn, err := p.connect(ctx)
		if err != nil {
			return err
		}
		p.kept = conn
		if _, err := conn.Exec(ctx, "SET synchronous_commit = off"); err != nil {
			return p.abandon(err)
		}
	}
	if err := do(p.kept); err != nil {
		return p.abandon(err)
	}
	return nil
}

// abandon closes the connection that failed. The caller must hold mu.
func (p *Postgres) abandon(err error) error {
	closeConn(p.kept)
	p.kept = nil
	return p.problem(err)
}

// Close implements Broker.
func (p *Postgres) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept != nil {
		closeConn(p.kept)
		p.kept = nil
	}
	return nil
}
