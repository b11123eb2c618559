package backup

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"expenseflow/internal/store/transfer"
)

var errDiskFull error = syscall.ENOSPC

// A dumpReader reads the SQL that pg_restore makes of a dump: statements, and rows after
// COPY ... FROM stdin, each on a line, until a line \.
type dumpReader struct{ in *bufio.Reader }

func newDumpReader(in io.Reader) *dumpReader { return &dumpReader{bufio.NewReaderSize(in, 1<<16)} }

// notForServers are lines that newer versions of pg_restore write for psql, or that older
// servers do not know.
var notForServers = regexp.MustCompile(`^(\\(un)?restrict |SET transaction_timeout = )`)

// each calls exec with the statements between COPYs, and table with each COPY and its rows, which
// it need not read. exec may be nil.
func (r *dumpReader) each(exec func(string) error, table func(statement string, rows io.Reader) error) error {
	var statements strings.Builder
	flush := func() (err error) {
		if exec != nil && strings.TrimSpace(statements.String()) != "" {
			err = exec(statements.String())
		}
		statements.Reset()
		return err
	}
	for {
		line, err := r.in.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			return flush()
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		switch {
		case strings.HasPrefix(line, "COPY ") && strings.HasSuffix(line, " FROM stdin;\n"):
			if err := flush(); err != nil {
				return err
			}
			rows := &copyRows{in: r.in}
			if err := table(strings.TrimSpace(line), rows); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, rows); err != nil {
				return err
			}
		case exec != nil && !notForServers.MatchString(line):
			statements.WriteString(line)
		}
	}
}

// copyRows are the rows of a COPY, up to the line that ends them.
type copyRows struct {
	in    *bufio.Reader
	line  []byte // what is read of the present line and not taken yet
	begun bool   // the rest of a long line follows
	ended bool
}

// Read implements io.Reader.
func (c *copyRows) Read(b []byte) (int, error) {
	if c.ended {
		return 0, io.EOF
	}
	if len(c.line) == 0 {
		line, err := c.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF // the end is a line of its own
			}
			return 0, err
		}
		if !c.begun && string(line) == "\\.\n" {
			c.ended = true
			return 0, io.EOF
		}
		c.line, c.begun = line, err != nil
	}
	n := copy(b, c.line)
	c.line = c.line[n:]
	return n, nil
}

// A dumpSummary is what a dump holds.
type dumpSummary struct {
	held   transfer.Summary
	heads  transfer.Heads
	schema string
}

func newDumpSummary() *dumpSummary {
	d := &dumpSummary{held: transfer.Summary{Rows: map[string]int64{}}}
	for _, name := range transfer.TableNames() {
		d.held.Rows[name] = 0
	}
	return d
}

func (d *dumpSummary) summary() transfer.Summary {
	d.held.Heads = d.heads.String()
	return d.held
}

var copyStatement = regexp.MustCompile(`^COPY ("(?:[^"]|"")+"|[^".]+)\.("?)([a-z_]+)"? \((.*)\) FROM stdin;$`)

// table counts the rows of a table, and reads what a Summary has of them.
func (d *dumpSummary) table(statement string, rows io.Reader) error {
	m := copyStatement.FindStringSubmatch(statement)
	if m == nil {
		return errors.New("a COPY of another form: " + statement)
	}
	d.schema = strings.ReplaceAll(strings.Trim(m[1], `"`), `""`, `"`)
	name, columns := m[3], strings.Split(m[4], ", ")
	in := bufio.NewReaderSize(rows, 1<<16)
	for n := int64(0); ; n++ {
		line, err := in.ReadString('\n')
		if errors.Is(err, io.EOF) && line == "" {
			if slices.Contains(transfer.TableNames(), name) {
				d.held.Rows[name] = n
			}
			return nil
		}
		if err != nil {
			return err
		}
		if name == "users" || name == "goose_db_version" {
			d.row(name, columns, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
}

// row reads a row of users, or of the applied migrations. Its ids and numbers have no escapes.
func (d *dumpSummary) row(table string, columns, values []string) {
	of := func(column string) string {
		if i := slices.Index(columns, column); i >= 0 && i < len(values) {
			return values[i]
		}
		return ""
	}
	if table == "users" {
		d.heads.Add(of("id"), of("log_start"), of("seq"))
		return
	}
	version, _ := strconv.ParseInt(of("version_id"), 10, 64)
	d.held.Schema = max(d.held.Schema, version)
}
