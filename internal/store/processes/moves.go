package processes

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/store/database"
	"expenseflow/internal/store/epoch"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A MovedRow says that a transaction changed a user's log, or removed the user. It is
// written with the user's row, once per transaction and user, and not on SQLite.
type MovedRow struct {
	XID    uint64 `gorm:"column:xid;serializer:transactionID;index:moved_xid"` // of the transaction, by default
	UserID string
}

// TableName implements GORM's Tabler.
func (MovedRow) TableName() string { return "moved" }

// Moves returns the users whose change logs have moved after a position, and the position
// after them. all means that it cannot tell: the caller compares all logs it follows, and
// the answer's other users are of no use.
//
// Whatever the order of commits, a user whose transaction committed before a call is in the
// answer of that call or of an earlier one, once, if each position was passed on to the next
// call. A transaction that stays open, anywhere in the server, delays nobody else. The cost
// is that of the moves and of the transactions that run, not of the users.
//
// A call says that everything before from was attended to: Heartbeat has the other processes
// keep what comes after it. Before Heartbeat was called for this process nothing is kept,
// and the answer is all. At most one follower may call it, except on SQLite.
func (p *Processes) Moves(ctx context.Context, from models.MoveCursor) (
	moved []string, next models.MoveCursor, all bool, err error,
) {
	if p.db.OnSQLite() {
		moved, next, all = p.noted.after(from)
		return moved, next, all, nil
	}
	p.followed.Store(&from)
	r := &p.reader
	r.mu.Lock()
	defer r.mu.Unlock()
	reused := r.conn != nil
	moved, next, all, err = p.readMoves(ctx, from)
	if err != nil && reused && ctx.Err() == nil { // it may have been the connection
		moved, next, all, err = p.readMoves(ctx, from)
	}
	return moved, next, all, p.db.Fail(err)
}

// A moveReader has the connection on which Moves reads. It is the same one for as long as it
// lasts: a connection that survives proves that the server did not crash in between, by
// which the unlogged tables would be empty.
type moveReader struct {
	mu     sync.Mutex
	conn   *sql.Conn // nil before the first and after a failure
	since  time.Time
	opened int // connections so far
}

// readTimeout bounds one statement of Moves and of Heartbeat.
const readTimeout = 5 * time.Second

// readMoves reads the moves on the connection for it. The caller must hold the reader's mu.
func (p *Processes) readMoves(ctx context.Context, from models.MoveCursor) (
	moved []string, next models.MoveCursor, all bool, err error,
) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	conn, err := p.moveConn(ctx)
	if err != nil {
		return nil, from, false, err
	}
	var kept bool
	err = conn.Raw(func(c any) error {
		moved, next, kept, err = p.queryMoves(ctx, c.(*stdlib.Conn).Conn(), from)
		return err
	})
	if err != nil {
		p.reader.drop()
		return nil, from, false, err
	}
	next.Origin = fmt.Sprintf("connection %d, %s", p.reader.opened, next.Origin)
	all = !kept || next.Origin != from.Origin || next.Generation != from.Generation
	return moved, next, all, nil
}

// moveConn returns the connection for Moves: another one after epoch.ConnLifetime, or after the
// pool has found its connections outdated.
func (p *Processes) moveConn(ctx context.Context) (*sql.Conn, error) {
	r := &p.reader
	if r.conn != nil && time.Since(r.since) < epoch.ConnLifetime && !p.timeline.Outdated(r.since) {
		return r.conn, nil
	}
	r.drop()
	conn, err := p.liveConn(ctx)
	if err != nil {
		return nil, err
	}
	r.conn, r.since, r.opened = conn, time.Now(), r.opened+1
	return conn, nil
}

// liveConn returns a connection of the pool whose server answers: after a failure those that
// were idle may all be dead.
func (p *Processes) liveConn(ctx context.Context) (conn *sql.Conn, err error) {
	for range p.maxConns + 2 {
		if conn, err = database.Connection(ctx, p.db.Writer); err != nil {
			return nil, err
		}
		if err = conn.PingContext(ctx); err == nil {
			return conn, nil
		}
		_ = conn.Close()
	}
	return nil, err
}

// drop closes the connection. The caller must hold mu.
func (r *moveReader) drop() {
	if r.conn != nil {
		_ = r.conn.Raw(func(any) error { return driver.ErrBadConn }) // makes the pool close it
		_ = r.conn.Close()
		r.conn = nil
	}
}

// close is drop for whoever does not hold mu.
func (r *moveReader) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}

// movesQuery is one statement, hence of one snapshot: it returns that snapshot, what the
// origin of a position is, this process's own row, and the rows of moved that no earlier
// snapshot saw. The origin has what changes when the tables may have lost rows: the start of
// the server, its timeline, and the files of moved, which a restore or NewEpoch empties, and
// of users.
const movesQuery = `SELECT now.snapshot::text,
		concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()), %s,
			pg_relation_filenode('moved'), pg_relation_filenode('users')),
		COALESCE(p.generation, 0), COALESCE(p.seen <> '', false), m.user_id
	FROM (SELECT pg_current_snapshot() AS snapshot) now
	LEFT JOIN processes p ON p.id = $1
	LEFT JOIN moved m ON m.xid >= $2::text::xid8 OR m.xid = ANY ($3::text[]::xid8[])`

// queryMoves runs movesQuery. It is planned anew each time: a plan for any position reads the
// whole table.
func (p *Processes) queryMoves(ctx context.Context, conn *pgx.Conn, from models.MoveCursor) (
	moved []string, next models.MoveCursor, kept bool, err error,
) {
	unseen, running := splitSnapshot(from.Position)
	query := fmt.Sprintf(movesQuery, "("+p.timeline.Query()+")")
	found, err := conn.Query(ctx, query, pgx.QueryExecModeExec, p.memberID(), unseen, running)
	if err != nil {
		return nil, from, false, err
	}
	defer found.Close()
	for found.Next() {
		var userID *string
		if err := found.Scan(&next.Position, &next.Origin, &next.Generation, &kept, &userID); err != nil {
			return nil, from, false, err
		}
		if userID != nil {
			moved = append(moved, *userID)
		}
	}
	next.Origin += fmt.Sprintf(", kept %v", kept)
	slices.Sort(moved)
	return slices.Compact(moved), next, kept, found.Err()
}

// splitSnapshot returns which transactions a snapshot (xmin:xmax:running,...) does not see:
// those from the first one on, and those that were running. Of no snapshot it returns that
// it sees all.
func splitSnapshot(snapshot string) (unseen string, running []string) {
	parts := strings.Split(snapshot, ":")
	if len(parts) != 3 {
		return strconv.FormatUint(1<<63, 10), []string{}
	}
	if parts[2] == "" {
		return parts[1], []string{}
	}
	return parts[1], strings.Split(parts[2], ",")
}

// moveNotes are the users whose logs moved lately, in order, on SQLite: one process has the
// file, and its commits note them.
type moveNotes struct {
	mu    sync.Mutex
	users []string
	first int64 // the position of users[0]
}

// maxMoveNotes bounds how many are kept. Who asks after more of them is told to compare all.
const maxMoveNotes = 1 << 16

const noteOrigin = "memory"

func (n *moveNotes) add(users []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.users = append(n.users, users...)
	if len(n.users) > maxMoveNotes {
		gone := len(n.users) - maxMoveNotes/2
		n.users, n.first = slices.Clone(n.users[gone:]), n.first+int64(gone)
	}
}

// after is Moves.
func (n *moveNotes) after(from models.MoveCursor) (moved []string, next models.MoveCursor, all bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	end := n.first + int64(len(n.users))
	next = models.MoveCursor{Origin: noteOrigin, Position: strconv.FormatInt(end, 10)}
	position, err := strconv.ParseInt(from.Position, 10, 64)
	if from.Origin != noteOrigin || err != nil || position < n.first || position > end {
		return nil, next, true
	}
	moved = slices.Clone(n.users[position-n.first:])
	slices.Sort(moved)
	return slices.Compact(moved), next, false
}
