package epoch

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// A Timeline follows the timeline of PostgreSQL's server, which grows with each promotion of a
// standby and each backup that is rolled forward, and keeps connections from leading to a server
// that no longer is the primary. Its methods are hooks of the driver.
type Timeline struct {
	epochs       *Epochs
	db           *database.DB
	log          *slog.Logger
	writeTimeout time.Duration
	lossless     bool

	opened   atomic.Bool  // the schema is there
	outdated atomic.Int64 // connections to PostgreSQL from before this moment, in ns since 1970, are not used
	last     atomic.Value // string: the timeline as it was last seen
	hidden   atomic.Bool  // the server does not tell it
}

// NewTimeline returns the timeline of a database with these epochs. writeTimeout bounds how long
// a transaction may be idle. lossless says that a promoted standby has everything that was
// acknowledged, so no new epoch begins.
func NewTimeline(e *Epochs, writeTimeout time.Duration, lossless bool) *Timeline {
	return &Timeline{epochs: e, db: e.db, log: e.log, writeTimeout: writeTimeout, lossless: lossless}
}

// Query selects the server's timeline, "" if the server does not tell it.
func (t *Timeline) Query() string {
	if t.hidden.Load() {
		return "SELECT ''"
	}
	return timelineQuery
}

// Saw notes the timeline of the server that a connection leads to.
func (t *Timeline) Saw(timeline string) { t.last.Store(timeline) }

// Outdated reports whether a connection that was made at a moment is not to be used any more.
func (t *Timeline) Outdated(connected time.Time) bool {
	return connected.UnixNano() < t.outdated.Load()
}

// ConnLifetime bounds how long a connection to PostgreSQL is used: one that leads to a
// server which no longer is the primary ends by itself, whatever that server answers.
const ConnLifetime = 10 * time.Minute

// connectedAt is the key under which a connection knows since when it is open.
const connectedAt = "expenseflow: connected at"

// readOnly is the SQLSTATE of a server that takes no changes: a standby, or one that is
// configured so.
const readOnly = "25006"

// KeepAfterError returns the function that decides whether a connection is used after an
// error of the server. It is not after 25006 and 57P0x: another connection may lead to the
// primary.
func (t *Timeline) KeepAfterError(before pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		if e.Code == readOnly {
			t.discardBefore(time.Now())
			return false
		}
		return !strings.HasPrefix(e.Code, "57P0") && (before == nil || before(conn, e))
	}
}

// DiscardOutdated discards a pooled connection that is older than the last refusal of a
// change, or than the first connection to a server of another timeline: after a failover one
// refusal, or one such connection, renews all.
func (t *Timeline) DiscardOutdated(_ context.Context, conn *pgx.Conn) error {
	if connectedSince(conn.PgConn()).UnixNano() < t.outdated.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// discardBefore discards the pooled connections that are older than a moment.
func (t *Timeline) discardBefore(moment time.Time) { t.outdated.Store(moment.UnixNano()) }

func connectedSince(conn *pgconn.PgConn) time.Time {
	since, _ := conn.CustomData()[connectedAt].(time.Time)
	return since
}

// AfterConnect records when a connection was made, bounds its idle transactions, and follows
// the server's timeline.
func (t *Timeline) AfterConnect(ctx context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[connectedAt] = time.Now()
	// Not by the URL's parameters: poolers refuse those that they do not know.
	const bound = "SET idle_in_transaction_session_timeout = %d"
	if _, err := conn.Exec(ctx, fmt.Sprintf(bound, t.writeTimeout.Milliseconds())); err != nil {
		return err
	}
	if !t.opened.Load() {
		return nil // there may be no schema yet
	}
	return t.followTimeline(ctx, conn)
}

// The statements on a connection of pgx are written by hand: they run in hooks of the driver,
// where GORM has no connection yet.

const timelineQuery = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"

// followTimeline begins a new epoch if the server's timeline has grown. A promoted standby,
// or a backup that was rolled forward, has another timeline; it may lack changes that
// clients have seen, and reuses their sequence numbers. With a synchronous standby nothing
// is missing (NewTimeline).
func (t *Timeline) followTimeline(ctx context.Context, conn *pgx.Conn) error {
	var timeline string
	if err := conn.QueryRow(ctx, timelineQuery).Scan(&timeline); err != nil {
		return t.warnNoTimeline(ctx, err)
	}
	known, _ := t.last.Load().(string)
	if timeline == "" || timeline == known {
		return nil
	}
	fresh, err := t.storeTimeline(ctx, conn, timeline)
	if isReadOnly(err) {
		return nil // such a server changes nothing
	}
	if err != nil {
		return err
	}
	t.Saw(timeline)
	if known != "" {
		t.discardBefore(connectedSince(conn.PgConn())) // older connections may lead to the server of before
	}
	if fresh {
		t.log.WarnContext(ctx, "the database server was promoted or rolled forward: a new epoch begins, and every client begins anew",
			slog.String("timeline", timeline))
	}
	return t.adoptEpoch(ctx, conn)
}

// storeTimeline stores the timeline and, if it has grown, begins a new epoch, in one
// statement, so that only one of several processes does.
func (t *Timeline) storeTimeline(ctx context.Context, conn *pgx.Conn, timeline string) (fresh bool, err error) {
	const insert = "INSERT INTO meta (key, value) VALUES ('timeline', $1) ON CONFLICT (key) DO NOTHING"
	done, err := conn.Exec(ctx, insert, timeline)
	if err != nil || done.RowsAffected() > 0 {
		return false, err
	}
	const grown = `WITH grown AS (UPDATE meta SET value = $1 WHERE key = 'timeline' AND value COLLATE "C" < $1 RETURNING 1)
		INSERT INTO meta (key, value) SELECT k, v FROM (VALUES ('epoch', $2::text), ('epoch_began', $3::text)) AS fresh (k, v)
		WHERE EXISTS (SELECT 1 FROM grown) AND NOT $4
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	done, err = conn.Exec(ctx, grown, timeline, Random(), t.epochs.Beginning(), t.lossless)
	return done.RowsAffected() > 0, err
}

// adoptEpoch reads the epoch and reports it if it differs from the one before.
func (t *Timeline) adoptEpoch(ctx context.Context, conn *pgx.Conn) error {
	var epoch, began string
	if err := conn.QueryRow(ctx, epochQuery).Scan(&epoch, &began); err != nil {
		return err
	}
	t.epochs.setEpoch(epoch, began)
	return nil
}

// warnNoTimeline logs once that the server does not show its timeline.
func (t *Timeline) warnNoTimeline(ctx context.Context, err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err // the connection is of no use
	}
	if t.hidden.CompareAndSwap(false, true) {
		const unknown = "the database server does not tell its timeline: after a failover that lost changes, run the command epoch"
		t.log.WarnContext(ctx, unknown, slog.Any("error", err))
	}
	return nil
}

// Open is followTimeline when the database is opened.
func (t *Timeline) Open(ctx context.Context) error {
	if t.db.OnSQLite() {
		return nil
	}
	defer t.opened.Store(true)
	conn, err := database.Connection(ctx, t.db.Writer)
	if err != nil {
		return t.db.Fail(err)
	}
	defer conn.Close()
	return t.db.Fail(conn.Raw(func(c any) error {
		raw, ok := c.(interface{ Conn() *pgx.Conn })
		if !ok {
			return models.E(models.Internal, "no connection of pgx")
		}
		return t.followTimeline(ctx, raw.Conn())
	}))
}

func isReadOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == readOnly
}
