package backup

import (
	"errors"
	"io"
	"strings"
	"testing"

	"expenseflow/internal/store/transfer"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const dumped = `\restrict abc
SET statement_timeout = 0;
SET transaction_timeout = 0;
COPY public.goose_db_version (id, version_id, is_applied) FROM stdin;
1	0	t
2	14	t
\.

COPY "odd "" name"."users" (id, name, log_start, seq) FROM stdin;
a	COPY x (y) FROM stdin;	0	7
b	\\.	2	9
\.

SELECT pg_catalog.setval('x', 2, true);
COPY public.contacts (a) FROM stdin;
\.
\unrestrict abc
`

func TestADumpIsReadBetweenItsRows(t *testing.T) {
	d, statements := newDumpSummary(), ""
	err := newDumpReader(strings.NewReader(dumped)).each(func(s string) error {
		statements += s
		return nil
	}, d.table)
	if err != nil {
		t.Fatal(err)
	}
	if want := "SET statement_timeout = 0;\n\nSELECT pg_catalog.setval('x', 2, true);\n"; statements != want {
		t.Errorf("statements: %q", statements)
	}
	var heads transfer.Heads
	heads.Add("b", "2", "9")
	heads.Add("a", "0", "7")
	if held := d.summary(); held.Schema != 14 || held.Users() != 2 || held.Heads != heads.String() {
		t.Errorf("%+v", held)
	}
}

func TestADumpThatEndsAmongItsRowsIsNone(t *testing.T) {
	cut := dumped[:strings.Index(dumped, "\tt\n\\.")+2]
	err := newDumpReader(strings.NewReader(cut)).each(nil, newDumpSummary().table)
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
}

// Rows longer than any buffer arrive as they are, and every byte of a dump is a statement's, a
// row's, or of the lines around rows.
func FuzzDump(f *testing.F) {
	f.Add(dumped)
	f.Add("COPY a.b (c) FROM stdin;\n" + strings.Repeat("x", 1<<17) + "\n\\.\n")
	f.Add("COPY a.b (c) FROM stdin;\n" + strings.Repeat("x", 1<<16-2) + "\\.\n\\.\nCOPY")
	f.Fuzz(func(t *testing.T, text string) {
		got := ""
		err := newDumpReader(strings.NewReader(text)).each(func(s string) error {
			got += s
			return nil
		}, func(statement string, rows io.Reader) error {
			data, err := io.ReadAll(rows)
			got += statement + "\n" + string(data) + "\\.\n"
			return err
		})
		left := strings.Contains(text, "restrict ") || strings.Contains(text, "transaction_timeout") // out, on purpose
		if err == nil && !left && len(strings.Fields(got)) != len(strings.Fields(text)) {
			t.Fatalf("%q is read as %q", text, got)
		}
		_ = newDumpReader(strings.NewReader(text)).each(nil, newDumpSummary().table)
	})
}
