package processes

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/models"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A Row is a server process that shares the database. It lives while its heartbeat is
// young, by the clock of the database's server.
type Row struct {
	ID          string `gorm:"primaryKey"`
	Generation  int64
	HeartbeatAt time.Time `gorm:"serializer:millis"`
	URL         string
	Version     string
	Secret      string
	Draining    bool   `gorm:"serializer:flag"`
	Seen        string // the snapshot up to which it has read moved; "" for none: then it needs no row of it
	Announced   int64  // how often it announced who is present; begins anew with each generation
	Ended       bool   `gorm:"serializer:flag"` // it has left
}

// TableName implements GORM's Tabler.
func (Row) TableName() string { return "processes" }

// LeaveTime is for how long the devices of a process that has left count, so that they can
// connect to another process without being gone meanwhile.
const LeaveTime = 4 * time.Second

// The present of the database's clock and the moments between which a heartbeat is young: one
// that is to come was written before the clock was set back. A process lives if its heartbeat
// is young and it has not left.
var (
	isYoung  = fmt.Sprintf("heartbeat_at BETWEEN %[1]s - %[2]d AND %[1]s + %[2]d", dbNow, models.ProcessDeadAfter.Milliseconds())
	isLiving = isYoung + " AND ended = 0"
)

const dbNow = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

// Heartbeat says that the process m lives, and returns its generation and all that live, in
// the order of their ids, itself among them. m.Generation is what the last call returned, 0
// at first. The generation grows if the process had no row any more, or was silent for longer
// than models.ProcessDeadAfter: then everything that it announced is gone.
//
// It also removes processes that are dead, with what they announced, and the moves that every
// process has read (Moves), or else a later one does: that this fails is no error.
func (p *Processes) Heartbeat(ctx context.Context, m models.Member) (generation int64, living []models.Member, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	p.member.Store(&m.ID)
	if generation, err = p.beat(ctx, m); err != nil {
		return 0, nil, err
	}
	if living, err = Living(p.db.Read(ctx)); err != nil {
		return 0, nil, err
	}
	p.tidy(ctx, m.ID)
	return generation, living, nil
}

// tidy removes what a heartbeat removes. That it begins to fail is logged.
func (p *Processes) tidy(ctx context.Context, id string) {
	err := p.removeDead(ctx)
	if err == nil {
		err = p.pruneMoves(ctx, id)
	}
	if p.untidy.Swap(err != nil) != (err != nil) && err != nil {
		p.log.WarnContext(ctx, "what dead processes left cannot be removed now, and the table of moves grows", slog.Any("error", err))
	}
}

func (r Row) member() models.Member {
	return models.Member{
		ID: r.ID, Generation: r.Generation, URL: r.URL, Version: r.Version, Secret: r.Secret, Draining: r.Draining,
	}
}

// memberID is the id with which Heartbeat was called; "" before.
func (p *Processes) memberID() string {
	if id := p.member.Load(); id != nil {
		return *id
	}
	return ""
}

// beat renews the process's row, or begins a generation.
func (p *Processes) beat(ctx context.Context, m models.Member) (generation int64, err error) {
	set := map[string]any{
		"heartbeat_at": gorm.Expr(dbNow), "url": m.URL, "version": m.Version, "secret": m.Secret, "draining": number(m.Draining),
	}
	// A position that was read under this generation is of the server that has the row.
	if from := p.followed.Load(); from != nil && from.Generation == m.Generation {
		set["seen"] = from.Position
	}
	n, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Model(&Row{}).Where("id = ? AND generation = ?", m.ID, m.Generation).Where(isLiving).UpdateColumns(set)
	})
	if err != nil || n > 0 {
		return m.Generation, err
	}
	m.Generation++
	return m.Generation, p.beginGeneration(ctx, m)
}

// beginGeneration makes the process's row anew, and deletes what it announced in the generation
// before. It is one statement, so that a process that is stopped under way holds no lock.
func (p *Processes) beginGeneration(ctx context.Context, m models.Member) error {
	const query = "WITH gone AS (DELETE FROM present WHERE process = ?) " +
		"INSERT INTO processes (id, generation, heartbeat_at, url, version, secret, draining, seen) VALUES (?, ?, " + dbNow +
		", ?, ?, ?, ?, '') ON CONFLICT (id) DO UPDATE SET generation = excluded.generation, heartbeat_at = excluded.heartbeat_at, " +
		"url = excluded.url, version = excluded.version, secret = excluded.secret, draining = excluded.draining, " +
		"seen = '', announced = 0, ended = 0"
	_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Exec(query, m.ID, m.ID, m.Generation, m.URL, m.Version, m.Secret, number(m.Draining))
	})
	return err
}

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}

// removeDead removes the rows of processes that are dead. Whoever lives after all notices it
// by its next heartbeat. A row that is locked is left to the next heartbeat: none waits for
// another process.
func (p *Processes) removeDead(ctx context.Context) error {
	_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		dead := db.Model(&Row{}).Select("id").Where("NOT (" + isYoung + ")").
			Clauses(clause.Locking{Strength: "UPDATE", Options: "SKIP LOCKED"})
		return db.Where("id IN (?)", dead).Delete(&Row{})
	})
	return err
}

// Leave says that a process ends: it is no member any more, and what it announced counts for
// LeaveTime.
func (p *Processes) Leave(ctx context.Context, id string) error {
	left := gorm.Expr(dbNow+" - ?", (models.ProcessDeadAfter - LeaveTime).Milliseconds())
	_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		return db.Model(&Row{}).Where("id = ?", id).UpdateColumns(map[string]any{"ended": 1, "heartbeat_at": left, "seen": ""})
	})
	return err
}

// prunedAtOnce bounds how many moves a heartbeat deletes: far more than are written between two.
const prunedAtOnce = 100_000

// pruneMoves deletes the moves that every process with a row has read. The process with the
// smallest id does it for all.
//
// It must not decide by itself who is dead. A process whose row is there keeps what it has
// not read, however old its heartbeat is; one whose row was removed before finds that by its
// generation, and compares everything. Transactions that are yet to come are those of a backup
// from another server.
func (p *Processes) pruneMoves(ctx context.Context, id string) error {
	_, err := p.db.Write(ctx, func(db *gorm.DB) *gorm.DB {
		read := db.Model(&MovedRow{}).Select("ctid").Where("? = (SELECT min(id) FROM processes)", id).
			Where("xid >= pg_snapshot_xmax(pg_current_snapshot()) OR NOT EXISTS (SELECT 1 FROM processes p " +
				"WHERE p.seen <> '' AND NOT pg_visible_in_snapshot(moved.xid, p.seen::pg_snapshot))")
		return db.Where("ctid IN (?)", read.Limit(prunedAtOnce)).Delete(&MovedRow{})
	})
	return err
}

// ServerClock returns what the clock of PostgreSQL's server shows; known is false on SQLite,
// which has none.
func (p *Processes) ServerClock(ctx context.Context) (shown time.Time, known bool, err error) {
	if p.db.OnSQLite() {
		return time.Time{}, false, nil
	}
	ms, err := find.One[int64](p.db.Read(ctx).Raw("SELECT " + dbNow))
	return time.UnixMilli(ms).UTC(), err == nil, err
}
