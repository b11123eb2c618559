package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"strings"
	"time"

	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connLifetime bounds how long a connection to PostgreSQL is used: one that leads to a
// server which no longer is the primary ends by itself, whatever that server answers.
const connLifetime = 10 * time.Minute

// connectedAt is the key under which a connection knows since when it is open.
const connectedAt = "expenseflow: connected at"

// readOnly is the SQLSTATE of a server that takes no changes: a standby, or one that
// was told so.
const readOnly = "25006"

// survives tells whether a connection can be used after an error of the server. It
// cannot after 25006 and 57P0x: another connection may lead to the primary.
func (s *Store) survives(before pgconn.PgErrorHandler) pgconn.PgErrorHandler {
	return func(conn *pgconn.PgConn, e *pgconn.PgError) bool {
		if e.Code == readOnly {
			s.outdated.Store(time.Now().UnixNano())
			return false
		}
		return !strings.HasPrefix(e.Code, "57P0") && (before == nil || before(conn, e))
	}
}

// outlived discards a pooled connection that is older than the last refusal of a
// change: after a failover one refusal is enough for all connections to be made anew.
func (s *Store) outlived(_ context.Context, conn *pgx.Conn) error {
	since, _ := conn.PgConn().CustomData()[connectedAt].(time.Time)
	if since.UnixNano() < s.outdated.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// connected notes when a connection was made, and what became of the server since the
// last one: a standby that was promoted has another timeline.
func (s *Store) connected(ctx context.Context, conn *pgx.Conn) error {
	conn.PgConn().CustomData()[connectedAt] = time.Now()
	if !s.prepared.Load() {
		return nil // there may be no schema yet
	}
	return s.followTimeline(ctx, conn)
}

const timelineQuery = "SELECT CASE WHEN pg_is_in_recovery() THEN '' ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END"

// followTimeline begins a new epoch if the server's timeline has grown: the standby that
// was promoted, or the backup that was rolled forward, may lack changes which clients
// have heard, and will give their sequences to others. With a synchronous standby
// nothing is missing (Options.FailoverLossless).
func (s *Store) followTimeline(ctx context.Context, conn *pgx.Conn) error {
	var timeline string
	if err := conn.QueryRow(ctx, timelineQuery).Scan(&timeline); err != nil {
		return s.noTimeline(ctx, err)
	}
	if known, _ := s.timeline.Load().(string); timeline == "" || timeline == known {
		return nil
	}
	fresh, err := s.noteTimeline(ctx, conn, timeline)
	if isReadOnly(err) {
		return nil // nothing can be changed by it anyway
	}
	if err != nil {
		return err
	}
	s.timeline.Store(timeline)
	if fresh {
		s.log.WarnContext(ctx, "the database server was promoted or rolled forward: a new epoch begins, and every client begins anew",
			slog.String("timeline", timeline))
	}
	return s.adoptEpoch(ctx, conn)
}

// noteTimeline stores the timeline and, if it has grown, begins a new epoch, in one
// statement: of several processes one does.
func (s *Store) noteTimeline(ctx context.Context, conn *pgx.Conn, timeline string) (fresh bool, err error) {
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

// adoptEpoch reads the epoch and tells of it if it is another one than before.
func (s *Store) adoptEpoch(ctx context.Context, conn *pgx.Conn) error {
	var epoch, began string
	if err := conn.QueryRow(ctx, epochQuery).Scan(&epoch, &began); err != nil {
		return err
	}
	s.follow(epoch, began)
	return nil
}

const epochQuery = "SELECT value, COALESCE((SELECT value FROM meta WHERE key = 'epoch_began'), '') FROM meta WHERE key = 'epoch'"

// follow takes an epoch for the present one.
func (s *Store) follow(epoch, began string) {
	s.began.Store(parseMoment(began).UnixMilli())
	if before, _ := s.epoch.Swap(epoch).(string); before != "" && before != epoch && s.opts.EpochChanged != nil {
		go s.opts.EpochChanged(epoch)
	}
}

// FollowEpoch notices an epoch that another process began, as the command epoch does. On
// SQLite no other process can.
func (s *Store) FollowEpoch(ctx context.Context) error {
	if s.line != nil {
		return nil
	}
	var epoch, began string
	if err := s.one(ctx, s.r, epochQuery, nil, &epoch, &began); err != nil {
		return err
	}
	s.follow(epoch, began)
	return nil
}

// noTimeline says once that the server does not tell its timeline.
func (s *Store) noTimeline(ctx context.Context, err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err // the connection is of no use
	}
	s.timelineHidden.Do(func() {
		s.log.WarnContext(ctx, "the database server does not tell its timeline: after a failover that lost changes, run the command epoch",
			slog.Any("error", err))
	})
	return nil
}

// openTimeline is followTimeline when the database is opened.
func (s *Store) openTimeline(ctx context.Context) error {
	if s.line != nil {
		return nil
	}
	conn, err := connection(ctx, s.w)
	if err != nil {
		return fail(s.d, err)
	}
	defer conn.Close()
	return fail(s.d, conn.Raw(func(c any) error {
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
