package transfer

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strings"

	"expenseflow/internal/store"
	"expenseflow/internal/store/database"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/internal/store/sqlitefile"
	"expenseflow/models"

	"gorm.io/gorm"
)

// Move copies a database that no server uses into an empty one, SQLite or PostgreSQL: every row
// of every table but those of running processes, in the same epoch. So a device that goes on with
// the other database notices nothing. tell is called now and then with the table that is copied,
// and how many of how many rows of all tables are.
//
// The copy is read again and compared row by row. A move that fails or is killed leaves the other
// database without a row of it. The error is one sentence.
func Move(ctx context.Context, from, to store.Options, tell func(table string, done, of int64)) (held Summary, err error) {
	if from.URL == to.URL {
		return held, models.E(models.Invalid, "The database is there already: --to is the address of DATABASE_URL")
	}
	source, err := store.Attach(ctx, from)
	if err != nil {
		return held, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	err = source.Alone(ctx, func() error {
		return inSnapshot(ctx, source, func(v *snapshot) (err error) {
			if err = v.neverIdle(); err != nil {
				return err
			}
			if held, err = v.summary(); err != nil {
				return err
			}
			m := &move{v: v, sums: map[string]string{}, tell: tell, of: held.total()}
			if strings.Contains(to.URL, "://") {
				return m.toPostgres(ctx, to)
			}
			return m.toSQLite(ctx, to)
		})
	})
	return held, err
}

// total is the number of rows of all tables.
func (m Summary) total() (n int64) {
	for _, of := range m.Rows {
		n += of
	}
	return n
}

// neverIdle has PostgreSQL keep the transaction however long it waits for another database.
func (v *snapshot) neverIdle() error {
	if v.s.Database().OnSQLite() {
		return nil
	}
	return v.db.Exec("SET LOCAL idle_in_transaction_session_timeout = 0").Error
}

// A move copies the tables of a snapshot.
type move struct {
	v        *snapshot
	sums     map[string]string // of the source, by table
	done, of int64
	tell     func(table string, done, of int64)
}

// ownMeta is what of meta belongs to the server of the database, and stays there.
const ownMeta = "key <> 'timeline'"

// inOrder is a query of all rows of a table in the order of its key, which both databases order by bytes.
func inOrder(db *gorm.DB, t *rows.Table) *gorm.DB {
	query := db.Table(t.Name).Select(t.Names()).Order(t.Key())
	if t.Name == rows.Of(epoch.Meta{}).Name {
		query = query.Where(ownMeta)
	}
	return query
}

// Bounds of the rows that are in memory at once.
const (
	chunkRows  = 1000
	chunkBytes = 1 << 20
)

// copyTo copies all tables. insert stores rows of a table.
func (m *move) copyTo(insert func(*rows.Table, [][]any) error) error {
	for _, row := range store.Tables() {
		if err := m.copyTable(rows.Of(row), insert); err != nil {
			return err
		}
	}
	return nil
}

func (m *move) copyTable(t *rows.Table, insert func(*rows.Table, [][]any) error) error {
	found, err := inOrder(m.v.db, t).Rows()
	if err != nil {
		return find.Translated(m.v.db, err)
	}
	sum, chunk, size := sha256.New(), [][]any{}, 0
	flush := func() error {
		err := insert(t, chunk)
		m.done += int64(len(chunk))
		m.tell(t.Name, m.done, m.of)
		chunk, size = chunk[:0], 0
		return err
	}
	err = t.Raw(found, func(values []any) error {
		size += addRow(sum, values)
		if chunk = append(chunk, values); len(chunk) < chunkRows && size < chunkBytes {
			return nil
		}
		return flush()
	})
	if err == nil && len(chunk) > 0 {
		err = flush()
	}
	m.sums[t.Name] = hex.EncodeToString(sum.Sum(nil))
	return err
}

// addRow adds a row to a sum, without two that are added alike, and returns its size.
func addRow(sum hash.Hash, values []any) (bytes int) {
	for _, v := range values {
		n := 0
		switch v := v.(type) {
		case string:
			n, _ = fmt.Fprintf(sum, "s%d:%s", len(v), v)
		case []byte:
			n, _ = fmt.Fprintf(sum, "b%d:%s", len(v), v)
		case int64:
			n, _ = fmt.Fprintf(sum, "i%d;", v)
		case *int64:
			if v == nil {
				n, _ = fmt.Fprint(sum, "n;")
			} else {
				n, _ = fmt.Fprintf(sum, "i%d;", *v)
			}
		}
		bytes += n
	}
	return bytes
}

// compare wants every row in the copy to be as it is in the source.
func (m *move) compare(db *gorm.DB) error {
	for _, row := range store.Tables() {
		t := rows.Of(row)
		found, err := inOrder(db, t).Rows()
		if err != nil {
			return find.Translated(db, err)
		}
		sum := sha256.New()
		err = t.Raw(found, func(values []any) error {
			addRow(sum, values)
			return nil
		})
		if err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) != m.sums[t.Name] {
			return models.E(models.Unavailable, "The copy of the table "+t.Name+" is not as the table is: nothing was moved, try again")
		}
	}
	return nil
}

// toSQLite makes a file beside the one of the options, and renames it when it is whole.
func (m *move) toSQLite(ctx context.Context, to store.Options) error {
	path, release, err := sqlitefile.Locked(to.URL)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	if n, err := usersIn(ctx, path); err != nil || n > 0 {
		return notEmpty(path, n, err)
	}
	fresh := path + ".moving"
	if err = sqlitefile.Remove(fresh); err == nil {
		err = sqlitefile.New(ctx, fresh)
	}
	if err != nil {
		return sqlitefile.Problem(path, err)
	}
	if err := m.fillFile(ctx, to, fresh); err != nil {
		return errors.Join(err, sqlitefile.Remove(fresh))
	}
	_, err = sqlitefile.Replace(fresh, path, false)
	return sqlitefile.Problem(path, err)
}

// notEmpty is the error for a database into which nothing can be moved.
func notEmpty(where string, n int64, err error) error {
	if err != nil {
		return &models.Error{Kind: models.Conflict, Msg: fmt.Sprintf("The database %s is there and cannot be read: name another one",
			where), Err: err}
	}
	msg := fmt.Sprintf("The database %s %s, and a move needs an empty one: name another one", where, inUseFor(n))
	return models.E(models.Conflict, msg)
}

func (m *move) fillFile(ctx context.Context, to store.Options, path string) (err error) {
	s, err := store.OpenFile(ctx, to, path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.MakeSchema(ctx); err != nil {
		return err
	}
	err = inOneTransaction(ctx, s.Database(), "BEGIN IMMEDIATE", func(conn *sql.Conn, _ *gorm.DB) error {
		return m.copyTo(func(t *rows.Table, all [][]any) error { return insertEach(ctx, conn, t, all) })
	})
	if err == nil {
		err = m.compare(s.Database().Read(ctx))
	}
	return err
}

// inOneTransaction runs fn with a connection in a transaction, which is rolled back after an error.
func inOneTransaction(ctx context.Context, db *database.DB, begin string, fn func(*sql.Conn, *gorm.DB) error) error {
	conn, err := database.Connection(ctx, db.Writer)
	if err != nil {
		return db.Fail(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, begin); err != nil {
		return db.Fail(err)
	}
	session := db.Writer.Session(&gorm.Session{NewDB: true, Context: ctx})
	session.Statement.ConnPool = conn
	if err := fn(conn, session); err != nil {
		_, undone := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		return errors.Join(db.Fail(err), db.Fail(undone))
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return db.Fail(err)
}

// insertEach inserts rows into SQLite one by one: passwords' hashes do not fit into the JSON of
// dialect.SQLite.Insert.
func insertEach(ctx context.Context, conn *sql.Conn, t *rows.Table, all [][]any) error {
	query := "INSERT INTO " + t.Name + " (" + t.Names() + ") VALUES (" +
		t.Each(func(int, rows.Column) string { return "?" }) + ")"
	insert, err := conn.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	for _, values := range all {
		if _, err := insert.ExecContext(ctx, values...); err != nil {
			return errors.Join(err, insert.Close())
		}
	}
	return insert.Close()
}

// toPostgres brings the schema of the server up to date and fills it in one transaction.
func (m *move) toPostgres(ctx context.Context, to store.Options) (err error) {
	to.Observe, to.EpochChanged = nil, nil
	s, err := store.Open(ctx, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.Alone(ctx, func() error {
		err := inOneTransaction(ctx, s.Database(), "BEGIN", func(conn *sql.Conn, db *gorm.DB) error {
			return m.fillServer(ctx, s, conn, db)
		})
		if err != nil {
			return err
		}
		// for plans that fit from the start
		return s.Database().Writer.WithContext(ctx).Exec("ANALYZE " + strings.Join(TableNames(), ", ")).Error
	})
}

func (m *move) fillServer(ctx context.Context, s *store.Store, conn *sql.Conn, db *gorm.DB) error {
	there := &snapshot{s: s, db: db}
	if err := there.neverIdle(); err != nil {
		return err
	}
	held, err := there.summary()
	if err != nil || held.total() > held.Rows[rows.Of(epoch.Meta{}).Name] {
		return notEmpty("of --to", held.Users(), err)
	}
	if err := db.Where(ownMeta).Delete(&epoch.Meta{}).Error; err != nil {
		return err
	}
	if err := m.copyTo(func(t *rows.Table, all [][]any) error { return dialect.Copy(ctx, conn, t, all) }); err != nil {
		return err
	}
	return m.compare(db)
}
