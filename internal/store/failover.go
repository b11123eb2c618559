package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
)

// connLifetime bounds how long a connection to PostgreSQL is used: one that leads to a
// server which no longer is the primary ends by itself, whatever that server answers.
const connLifetime = 10 * time.Minute

// connectedAt is the key under which a connection knows since when it is open.
const connectedAt = "expenseflow: connected at"

// readOnly is the SQLSTATE of a server that takes no changes: a standby, or one that is
// configured so.
const readOnly = "25006"

// keepAfterError returns the function that decides whether a connection is used after an
// error of the server. It is not after 25006 and 57P0x: another connection may lead to the
// primary.
func (s *Store) keepAfterError(before pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		if e.Code == readOnly {
			s.discardBefore(time.Now())
			return false
		}
		return !strings.HasPrefix(e.Code, "57P0") && (before == nil || before(conn, e))
	}
}

// discardOutdated discards a pooled connection that is older than the last refusal of a
// change, or than the first connection to a server of another timeline: after a failover one
// refusal, or one such connection, renews all.
func (s *Store) discardOutdated(_ context.Context, conn *pgx.Conn) error {
	if connectedSince(conn.PgConn()).UnixNano() < s.outdated.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// discardBefore discards the pooled connections that are older than a moment.
func (s *Store) discardBefore(moment time.Time) { s.outdated.Store(moment.UnixNano()) }

func connectedSince(conn *pgconn.PgConn) time.Time {
	since, _ := conn.CustomData()[connectedAt].(time.Time)
	return since
}

// afterConnect records when a connection was made, bounds its idle transactions, and follows
// the server's timeline.
func (s *Store) afterConnect(ctx context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[connectedAt] = time.Now()
	// Not by the URL's parameters: poolers refuse those that they do not know.
	const bound = "SET idle_in_transaction_session_timeout = %d"
	if _, err := conn.Exec(ctx, fmt.Sprintf(bound, s.opts.WriteTimeout.Milliseconds())); err != nil {
		return err
	}
	if !s.prepared.Load() {
		return nil // there may be no schema yet
	}
	return s.followTimeline(ctx, conn)
}

// The statements on a connection of pgx are written by hand: they run in hooks of the driver,
// where GORM has no connection yet.

const timelineQuery = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"

// followTimeline begins a new epoch if the server's timeline has grown. A promoted standby,
// or a backup that was rolled forward, has another timeline; it may lack changes that
// clients have seen, and reuses their sequence numbers. With a synchronous standby nothing
// is missing (Options.FailoverLossless).
func (s *Store) followTimeline(ctx context.Context, conn *pgx.Conn) error {
	var timeline string
	if err := conn.QueryRow(ctx, timelineQuery).Scan(&timeline); err != nil {
		return s.warnNoTimeline(ctx, err)
	}
	known, _ := s.timeline.Load().(string)
	if timeline == "" || timeline == known {
		return nil
	}
	fresh, err := s.storeTimeline(ctx, conn, timeline)
	if isReadOnly(err) {
		return nil // such a server changes nothing
	}
	if err != nil {
		return err
	}
	s.timeline.Store(timeline)
	if known != "" {
		s.discardBefore(connectedSince(conn.PgConn())) // older connections may lead to the server of before
	}
	if fresh {
		s.log.WarnContext(ctx, "the database server was promoted or rolled forward: a new epoch begins, and every client begins anew",
			slog.String("timeline", timeline))
	}
	return s.adoptEpoch(ctx, conn)
}

// storeTimeline stores the timeline and, if it has grown, begins a new epoch, in one
// statement, so that only one of several processes does.
func (s *Store) storeTimeline(ctx context.Context, conn *pgx.Conn, timeline string) (fresh bool, err error) {
	const insert = "INSERT INTO meta (key, value) VALUES ('timeline', $1) ON CONFLICT (key) DO NOTHING"
	done, err := conn.Exec(ctx, insert, timeline)
	if err != nil || done.RowsAffected() > 0 {
		return false, err
	}
	const grown = `WITH grown AS (UPDATE meta SET value = $1 WHERE key = 'timeline' AND value COLLATE "C" < $1 RETURNING 1)
		INSERT INTO meta (key, value) SELECT k, v FROM (VALUES ('epoch', $2::text), ('epoch_began', $3::text)) AS fresh (k, v)
		WHERE EXISTS (SELECT 1 FROM grown) AND NOT $4
		ON CONFLICT (key) DO UPDATE SET value = excluded.value`
	done, err = conn.Exec(ctx, grown, timeline, randomEpoch(), s.beginning(), s.opts.FailoverLossless)
	return done.RowsAffected() > 0, err
}

// adoptEpoch reads the epoch and reports it if it differs from the one before.
func (s *Store) adoptEpoch(ctx context.Context, conn *pgx.Conn) error {
	var epoch, began string
	if err := conn.QueryRow(ctx, epochQuery).Scan(&epoch, &began); err != nil {
		return err
	}
	s.setEpoch(epoch, began)
	return nil
}

const epochQuery = "SELECT value, COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), '') FROM meta WHERE key = 'epoch'"

// setEpoch sets the current epoch, and reports it to Options.EpochChanged if it has changed.
func (s *Store) setEpoch(epoch, began string) {
	s.began.Store(parseMoment(began).UnixMilli())
	if before, _ := s.epoch.Swap(epoch).(string); before != "" && before != epoch && s.opts.EpochChanged != nil {
		go s.opts.EpochChanged(epoch)
	}
}

// FollowEpoch reads an epoch that another process began, as the command epoch does. On
// SQLite no other process can.
func (s *Store) FollowEpoch(ctx context.Context) error {
	if s.db.OnSQLite() {
		return nil
	}
	var epoch, began string
	if err := s.db.Read(ctx).Raw(epochQuery).Row().Scan(&epoch, &began); err != nil {
		return s.db.Fail(err)
	}
	s.setEpoch(epoch, began)
	return nil
}

// EpochAfterLoss begins a new epoch if the user's log ends before a sequence that this
// process has read from it: a backup was restored under the running servers, or the
// database lost what it had acknowledged. Of several processes one begins it. On SQLite
// nobody can put the file back, for it is locked.
func (s *Store) EpochAfterLoss(ctx context.Context, userID string, read int64) error {
	known, _ := s.epoch.Load().(string)
	if s.db.OnSQLite() || known == "" {
		return nil
	}
	// GORM has no INSERT of a SELECT.
	const behind = " WHERE EXISTS (SELECT 1 FROM users WHERE id = ? AND seq < ?)" +
		" AND EXISTS (SELECT 1 FROM meta WHERE key = 'epoch' AND value = ?)"
	query := "INSERT INTO meta (key, value) SELECT 'epoch', ?" + behind + " UNION ALL SELECT 'epoch_began', ?" + behind +
		" ON CONFLICT (key) DO UPDATE SET value = excluded.value"
	n, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Exec(query, randomEpoch(), userID, read, known, s.beginning(), userID, read, known)
	})
	if err != nil {
		return err
	}
	if n > 0 {
		s.log.WarnContext(ctx, "the database lacks changes that it had: a new epoch begins, and every client begins anew",
			slog.String("user_id", userID))
	}
	return s.FollowEpoch(ctx)
}

// warnNoTimeline logs once that the server does not show its timeline.
func (s *Store) warnNoTimeline(ctx context.Context, err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err // the connection is of no use
	}
	if s.timelineHidden.CompareAndSwap(false, true) {
		const unknown = "the database server does not tell its timeline: after a failover that lost changes, run the command epoch"
		s.log.WarnContext(ctx, unknown, slog.Any("error", err))
	}
	return nil
}

// openTimeline is followTimeline when the database is opened.
func (s *Store) openTimeline(ctx context.Context) error {
	if s.db.OnSQLite() {
		return nil
	}
	conn, err := database.Connection(ctx, s.db.Writer)
	if err != nil {
		return s.db.Fail(err)
	}
	defer conn.Close()
	return s.db.Fail(conn.Raw(func(c any) error {
		raw, ok := c.(interface{ Conn() *pgx.Conn })
		if !ok {
			return models.E(models.Internal, "no connection of pgx")
		}
		return s.followTimeline(ctx, raw.Conn())
	}))
}

func isReadOnly(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == readOnly
}
