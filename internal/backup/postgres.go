package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

// Postgres is the Source of a PostgreSQL database: pg_dump writes it in its custom format, and
// pg_restore reads it.
type Postgres struct {
	Store *store.Store // the database; Suffix and Inspect need none
}

// Suffix implements Source.
func (Postgres) Suffix() string { return ".dump" }

// Write implements Source.
func (p Postgres) Write(ctx context.Context, path string) (of time.Time, held transfer.Summary, err error) {
	err = transfer.ExportSnapshot(ctx, p.Store, func(e transfer.Exported) error {
		of, held = e.Of, e.Held
		if err := checkVersion(ctx, "pg_dump", e.Version); err != nil {
			return err
		}
		args := []string{
			"--format=custom", "--no-owner", "--no-privileges", "--no-unlogged-table-data", "--no-password",
			"--snapshot=" + e.ID, "--file=" + path,
		}
		for _, name := range e.Tables {
			args = append(args, "--table="+name)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly) // pg_dump keeps the mode
		if err != nil {
			return err
		}
		if err := f.Close(); err != nil {
			return err
		}
		return runTool(ctx, e.Environment, io.Discard, "pg_dump", args...)
	})
	return of, held, err
}

var toolVersion = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// checkVersion refuses a program that is older than a version of PostgreSQL, or not there.
func checkVersion(ctx context.Context, name string, needed int) error {
	var out bytes.Buffer
	if err := runTool(ctx, nil, &out, name, "--version"); err != nil {
		return err
	}
	m := toolVersion.FindStringSubmatch(out.String())
	if m == nil {
		return models.E(models.Unavailable, name+" in PATH does not tell its version: install PostgreSQL's client programs")
	}
	if version, _ := strconv.Atoi(m[1]); version < needed {
		return models.E(models.Unavailable, fmt.Sprintf("%s in PATH is of version %s, and the server of version %d: install the "+
			"client programs of PostgreSQL %d or newer", name, m[1], needed, needed))
	}
	return nil
}

// runTool runs a client program of PostgreSQL. Its error is one sentence with the last line that
// the program wrote.
func runTool(ctx context.Context, environment []string, out io.Writer, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return &models.Error{Kind: models.Unavailable, Msg: name + " is not in PATH: install PostgreSQL's client programs (Debian: " +
			"apt install postgresql-client), or run the command where they are", Err: err}
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), environment...), out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if strings.Contains(said.String(), "No space left") {
			return errDiskFull
		}
		lines := strings.Split(strings.TrimSpace(said.String()), "\n")
		return &models.Error{Kind: models.Unavailable, Msg: "It failed: " + lines[len(lines)-1], Err: fmt.Errorf("%s: %w", name, err)}
	}
	return nil
}

// Inspect implements Source.
func (p Postgres) Inspect(ctx context.Context, path string) (held transfer.Summary, err error) {
	held, _, err = inspectDump(ctx, path)
	return held, err
}

// inspectDump reads all rows of a dump. schema is the one of which its tables are.
func inspectDump(ctx context.Context, path string) (held transfer.Summary, schema string, err error) {
	d := newDumpSummary()
	err = readDump(ctx, path, "--data-only", func(r *dumpReader) error { return r.each(nil, d.table) })
	if err != nil {
		return held, "", unusableDump(path, err)
	}
	if held = d.summary(); held.Schema == 0 {
		return held, "", models.E(models.Invalid, fmt.Sprintf("The file %s is no backup of this program", path))
	}
	return held, d.schema, nil
}

func unusableDump(path string, err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, context.Canceled) {
		return err
	}
	msg := fmt.Sprintf("The file %s is damaged, or of a newer pg_dump than the pg_restore in PATH: take another backup", path)
	return &models.Error{Kind: models.Invalid, Msg: msg, Err: err}
}

// readDump calls fn with what pg_restore makes of a section of a dump.
func readDump(ctx context.Context, path, section string, fn func(*dumpReader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := runTool(ctx, nil, in, "pg_restore", section, "--no-owner", "--no-privileges", "--file=-", path)
		_ = in.CloseWithError(err) // never fails
		ended <- err
	}()
	err := fn(newDumpReader(out))
	if err != nil {
		cancel()
		_ = out.CloseWithError(err) // never fails
	}
	if failed := <-ended; err == nil {
		err = failed
	}
	return err
}

// RestorePostgres puts a dump in the place of the database of o (transfer.RestoreServer).
func RestorePostgres(ctx context.Context, o store.Options, path string, replace bool) (r transfer.Restoration, err error) {
	held, schema, err := inspectDump(ctx, path)
	if err != nil {
		return r, err
	}
	return transfer.RestoreServer(ctx, o, held, schema, replace, func(l transfer.Loading) error {
		for _, section := range []string{"--section=pre-data", "--section=data", "--section=post-data"} {
			err := readDump(ctx, path, section, func(r *dumpReader) error { return r.each(l.Exec, l.Copy) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// OfPostgres reports whether a file is a dump of PostgreSQL in the custom format.
func OfPostgres(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const magic = "PGDMP"
	head := make([]byte, len(magic))
	_, err = io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // transfer.InspectFile says what is wrong with it
	}
	return string(head) == magic, err
}
