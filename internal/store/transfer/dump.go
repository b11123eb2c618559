package transfer

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/epoch"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"
)

// An Exported is a moment of a PostgreSQL database that other connections can read too.
type Exported struct {
	Of      time.Time // the moment
	Held    Summary   // what the database held then
	ID      string    // as pg_dump --snapshot takes it
	Version int       // of the server, such as 15
	Tables  []string  // all tables of this program, quoted and qualified

	// Environment leads PostgreSQL's own programs to the database.
	Environment []string
}

// ExportSnapshot calls fn while a moment can be read by others (pg_export_snapshot).
func ExportSnapshot(ctx context.Context, s *store.Store, fn func(Exported) error) error {
	return inSnapshot(ctx, s, func(v *snapshot) (err error) {
		e := Exported{Of: s.Database().Now().UTC(), Environment: environment(s.Database().URL)}
		if err := v.neverIdle(); err != nil {
			return err
		}
		if e.Held, err = v.summary(); err != nil {
			return err
		}
		if e.ID, err = find.One[string](v.db.Raw("SELECT pg_export_snapshot()")); err != nil {
			return err
		}
		version, err := find.One[int64](v.db.Raw("SELECT current_setting('server_version_num')::bigint"))
		if err != nil {
			return err
		}
		e.Version = int(version / 10000)
		schema, err := find.One[string](v.db.Raw("SELECT current_schema()::text"))
		if err != nil {
			return err
		}
		for _, name := range allTables() {
			e.Tables = append(e.Tables, pgx.Identifier{schema, name}.Sanitize())
		}
		return fn(e)
	})
}

// environment has the connection of a URL in the variables of libpq: what is in the
// arguments of a process everybody on the machine can read.
func environment(address string) []string {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return nil // the store has opened it
	}
	hosts, ports := []string{cfg.Host}, []string{strconv.Itoa(int(cfg.Port))}
	seen := map[string]bool{net.JoinHostPort(hosts[0], ports[0]): true}
	for _, f := range cfg.Fallbacks {
		port := strconv.Itoa(int(f.Port))
		if at := net.JoinHostPort(f.Host, port); !seen[at] {
			seen[at] = true
			hosts, ports = append(hosts, f.Host), append(ports, port)
		}
	}
	environment := []string{
		"PGHOST=" + strings.Join(hosts, ","), "PGPORT=" + strings.Join(ports, ","), "PGUSER=" + cfg.User, "PGPASSWORD=" + cfg.Password,
		"PGDATABASE=" + cfg.Database,
	}
	if len(hosts) > 1 {
		environment = append(environment, "PGTARGETSESSIONATTRS=read-write")
	}
	if u, err := url.Parse(address); err == nil {
		for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey"} {
			if v := u.Query().Get(name); v != "" {
				environment = append(environment, "PG"+strings.ToUpper(name)+"="+v)
			}
		}
	}
	return environment
}

// allTables are the names of all tables in PostgreSQL.
func allTables() (names []string) {
	for _, row := range slices.Concat(store.Tables(), store.ProcessTables()) {
		names = append(names, rows.Of(row).Name)
	}
	return append(names, store.VersionTable)
}

// A Loading is the transaction into which a dump is loaded.
type Loading struct {
	ctx  context.Context
	conn *sql.Conn
}

// Exec runs statements of SQL.
func (l Loading) Exec(statements string) error {
	return l.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().PgConn().Exec(l.ctx, statements).ReadAll()
		return err
	})
}

// Copy runs a COPY ... FROM stdin with its rows.
func (l Loading) Copy(statement string, data io.Reader) error {
	return l.conn.Raw(func(driver any) error {
		_, err := driver.(*stdlib.Conn).Conn().PgConn().CopyFrom(l.ctx, data, statement)
		return err
	})
}

// RestoreServer puts a dump in the place of the database of o, on PostgreSQL, and begins a new
// epoch. load loads the dump, of which schema is the one that its statements name, and held what
// it has. With replace a database that has accounts is kept in a schema of its own, without it
// is refused. No server may use the database.
//
// It is one transaction: a restore that fails or is killed leaves the database of before.
func RestoreServer(ctx context.Context, o store.Options, held Summary, schema string, replace bool, load func(Loading) error) (
	r Restoration, err error,
) {
	r.Held, o.Observe, o.EpochChanged = held, nil, nil
	s, err := store.Connect(ctx, o)
	if err != nil {
		return r, err
	}
	err = s.Alone(ctx, func() error {
		return inOneTransaction(ctx, s.Database(), "BEGIN", func(conn *sql.Conn, db *gorm.DB) error {
			v := &snapshot{s: s, db: db}
			if err := v.makeRoom(&r, schema, replace); err != nil {
				return err
			}
			if err := load(Loading{ctx, conn}); err != nil {
				return err
			}
			return v.renewServer(&r, schema)
		})
	})
	if closed := s.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return r, err
	}
	renewed, err := store.Open(ctx, o) // migrates
	if err != nil {
		return r, ofBackup(err)
	}
	return r, renewed.Close()
}

// makeRoom takes the tables of now out of the way: into a schema of their own if they have rows.
func (v *snapshot) makeRoom(r *Restoration, schema string, replace bool) error {
	if err := v.neverIdle(); err != nil {
		return err
	}
	own, err := find.One[string](v.db.Raw("SELECT COALESCE(current_schema()::text, '')"))
	if err != nil {
		return err
	}
	if own != schema {
		return models.E(models.Invalid, fmt.Sprintf("The backup is of the schema %q, and DATABASE_URL leads to the schema %q: add "+
			"search_path=%s to it", schema, own, schema))
	}
	there, err := find.All[string](v.db.Raw("SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"))
	if err != nil {
		return err
	}
	ours := slices.DeleteFunc(there, func(name string) bool { return !slices.Contains(allTables(), name) })
	if len(ours) == 0 {
		return nil
	}
	users := int64(0)
	if slices.Contains(ours, "users") {
		if err := v.db.Table("users").Count(&users).Error; err != nil {
			return err
		}
	}
	switch {
	case users == 0:
		return v.db.Exec("DROP TABLE " + strings.Join(ours, ", ") + " CASCADE").Error
	case !replace:
		return models.E(models.Conflict, "The database "+inUseFor(users)+": add --replace to put the backup in its place; what is "+
			"there now is kept in a schema of its own")
	}
	r.Kept = "before_" + strings.ReplaceAll(time.Now().UTC().Format("20060102t150405.000"), ".", "_") // two may be within a second
	return v.moveTables(ours, r.Kept)
}

func (v *snapshot) moveTables(names []string, schema string) error {
	if err := v.db.Exec("CREATE SCHEMA " + schema).Error; err != nil {
		const msg = "The user of DATABASE_URL may not make a schema, where the database of now would be kept: run as the database's " +
			"owner: GRANT CREATE ON DATABASE ... TO ..."
		return &models.Error{Kind: models.Unavailable, Msg: msg, Err: err}
	}
	for _, name := range names {
		if err := v.db.Exec("ALTER TABLE " + name + " SET SCHEMA " + schema).Error; err != nil {
			return err
		}
	}
	return nil
}

// renewServer compares what was loaded with the dump and begins an epoch. The statements of
// a dump have set an empty search_path.
func (v *snapshot) renewServer(r *Restoration, schema string) error {
	if err := v.db.Exec("SET search_path TO " + pgx.Identifier{schema}.Sanitize()).Error; err != nil {
		return err
	}
	if err := v.checkRestored(r.Held); err != nil {
		return err
	}
	if err := v.db.Where("key IN ('epoch', 'epoch_began', 'timeline')").Delete(&epoch.Meta{}).Error; err != nil {
		return err
	}
	r.Epoch = epoch.Random()
	return v.db.Create(&[]epoch.Meta{{Key: "epoch", Value: r.Epoch}, {Key: "epoch_began", Value: v.s.Beginning()}}).Error
}
