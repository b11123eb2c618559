package importer_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/importer"
	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A fixture is an importer on a database of its own with one user.
type fixture struct {
	*importer.Importer
	t        *testing.T
	ledger   *ledger.Ledger
	store    *store.Store
	user     models.User
	progress []wire.ImportProgress
	onSaid   func(wire.ImportProgress)
	parked   []models.QueuedOperation // as devices were told
	settled  []models.OperationState  // likewise
}

// each runs a test on both engines.
func each(t *testing.T, o ledger.Options, test func(h *fixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		h := &fixture{t: t, store: s, user: storetest.User(t, s), ledger: ledger.New(s, nil, o)}
		h.Importer = importer.New(importer.Options{
			Ledger: h.ledger, Store: s,
			Progress: func(_ string, p wire.ImportProgress) {
				h.progress = append(h.progress, p)
				if h.onSaid != nil {
					h.onSaid(p)
				}
			},
			OnParked:  func(_ string, ops []models.QueuedOperation) { h.parked = append(h.parked, ops...) },
			OnSettled: func(_ string, how models.OperationState) { h.settled = append(h.settled, how) },
		})
		test(h)
	})
}

func request(t *testing.T, query, content string) importer.Request {
	t.Helper()
	q, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	r, err := importer.ParseRequest(q, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (h *fixture) run(query, content string) *wire.ImportResult {
	h.t.Helper()
	result, err := h.Import(h.t.Context(), h.user.ID, models.Author{}, request(h.t, query, content))
	if err != nil {
		h.t.Fatalf("import: %v", err)
	}
	return result
}

func (h *fixture) entries() (list []string) {
	h.t.Helper()
	err := h.store.ExpensesSyncedAfter(h.t.Context(), h.user.ID, models.Day(0).Time(), func(e models.Expense) error {
		list = append(list, fmt.Sprintf("%s %s %s %s", e.Day, e.Type, e.Amount, e.Description))
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

func (h *fixture) totals(r *wire.ImportResult, want wire.ImportTotals) {
	h.t.Helper()
	if diff := cmp.Diff(want, r.Totals); diff != "" {
		h.t.Errorf("totals (-want +got):\n%s", diff)
	}
}

const january = "Date;Text;Amount\n" +
	"02.01.2026;Coffee;-3,50\n02.01.2026;Coffee;-3,50\n15.01.2026;Pay;1.900,00\nTotal;;1.893,00\n"

func TestFileBecomesEntries(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		r := h.run("name=january.csv", january)
		h.totals(r, wire.ImportTotals{Rows: 4, New: 3, Refused: 1})
		want := []string{"2026-01-02 expense 3.5 Coffee", "2026-01-02 expense 3.5 Coffee", "2026-01-15 income 1900 Pay"}
		if diff := cmp.Diff(want, h.entries()); diff != "" {
			h.t.Errorf("entries (-want +got):\n%s", diff)
		}
		if len(r.Rows) != 1 || r.Rows[0].Line != 5 || !strings.Contains(r.Rows[0].Reason, "not a date") {
			h.t.Errorf("refused: %+v", r.Rows)
		}
		if last := h.progress[len(h.progress)-1]; last.Rows != 4 || last.Total != 4 || !last.Done {
			h.t.Errorf("progress: %+v", last)
		}
	})
}

func TestSameFileTwiceChangesNothing(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		h.run("", january)
		r := h.run("", january)
		h.totals(r, wire.ImportTotals{Rows: 4, Duplicates: 3, Refused: 1})
		if r.Import != nil || len(h.entries()) != 3 {
			h.t.Errorf("%+v, %v", r.Import, h.entries())
		}
	})
}

// An export of the next weeks brings what is new, although it begins with days that are here.
func TestOverlappingFileBringsWhatIsNew(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		h.run("", january)
		r := h.run("", "\ufeffDate,Text,Amount\r\n2026-01-15,Pay,1900.00\r\n2026-02-01,Rent,-700.00\r\n")
		h.totals(r, wire.ImportTotals{Rows: 2, New: 1, Duplicates: 1})
	})
}

func TestEntryMadeByHandIsNotImportedAgain(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		day := models.Date(2026, 1, 2)
		_, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft: models.Draft{Description: "coffee with Bob", Amount: 3_500_000, Category: "food", Type: "expense", Day: &day},
		})
		if err != nil {
			h.t.Fatal(err)
		}
		r := h.run("", january)
		h.totals(r, wire.ImportTotals{Rows: 4, New: 2, Duplicates: 1, Refused: 1}) // one entry stands for one of two rows
		if !strings.Contains(r.Rows[0].Reason, "coffee with Bob") || r.Rows[0].Existing == "" {
			h.t.Errorf("%+v", r.Rows[0])
		}
		h.totals(h.run("include=2", january), wire.ImportTotals{Rows: 4, New: 1, Duplicates: 2, Refused: 1})
		h.totals(h.run("include=2", january), wire.ImportTotals{Rows: 4, Duplicates: 3, Refused: 1})
		if n := len(h.entries()); n != 4 {
			h.t.Errorf("%d entries: %v", n, h.entries())
		}
	})
}

// Thousands of entries of one day and amount, and a file of as many rows of these, would be
// millions of comparisons of texts in transactions that others wait for.
func TestRowIsNotComparedWithThousandsOfEntriesOfItsDayAndAmount(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		const header = "Date,Text,Amount\n"
		tickets := header
		for i := range 101 {
			tickets += fmt.Sprintf("2026-01-31,Ticket%c%c,-3.50\n", 'a'+i/26, 'a'+i%26)
		}
		h.run("", tickets+"2026-01-31,Coffee,-3.50\n")
		h.totals(h.run("", header+"2026-01-31,coffee again,-3.50\n"), wire.ImportTotals{Rows: 1, New: 1})
		h.totals(h.run("", header+"2026-01-31,by Ticketaa,-3.50\n"), wire.ImportTotals{Rows: 1, Duplicates: 1})
	})
}

func TestPreviewChangesNothingAndSaysWhatWouldBecomeOfRows(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		before, _ := h.store.LogState(h.t.Context(), h.user.ID)
		p, err := h.Preview(h.t.Context(), h.user.ID, request(h.t, "", january))
		if err != nil {
			h.t.Fatal(err)
		}
		after, _ := h.store.LogState(h.t.Context(), h.user.ID)
		if diff := cmp.Diff(wire.ImportTotals{Rows: 4, New: 3, Refused: 1}, p.Totals); diff != "" || after.Head != before.Head {
			h.t.Errorf("%d, then %d; %s", before.Head, after.Head, diff)
		}
		if p.Mapping.Dates != "dmy" || p.Mapping.Columns["amount"] != 3 || len(p.Rows) != 4 || len(p.Columns) != 3 {
			h.t.Errorf("%+v", p)
		}
	})
}

// A question that the file leaves open is not decided by a guess.
func TestOpenQuestionIsAskedBeforeAnythingIsImported(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		content := "Date,Text,Amount\n03/04/2026,Tea,-1.00\n"
		_, err := h.Import(h.t.Context(), h.user.ID, models.Author{}, request(h.t, "", content))
		if wire.Code(err) != importer.CodeQuestion || len(h.entries()) != 0 {
			h.t.Fatalf("%v; %v", err, h.entries())
		}
		h.run("dates=mdy", content)
		if got := h.entries(); len(got) != 1 || !strings.HasPrefix(got[0], "2026-03-04") {
			h.t.Errorf("%v", got)
		}
	})
}

func long(rows int) string {
	var b strings.Builder
	b.WriteString("Date,Text,Amount\n")
	for i := range rows {
		fmt.Fprintf(&b, "%s,Coffee,-1.00\n", models.Date(2026, 1, 1+i/300))
	}
	return b.String()
}

// The process or the client may end in the middle: equal rows of one day are told apart all the same.
func TestInterruptedImportIsFinishedBySendingTheFileAgain(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		ctx, cancel := context.WithCancel(h.t.Context())
		h.onSaid = func(wire.ImportProgress) { cancel() }
		_, err := h.Import(ctx, h.user.ID, models.Author{}, request(h.t, "name=a.csv", long(650)))
		if !errors.Is(err, context.Canceled) {
			h.t.Fatalf("%v", err)
		}
		h.onSaid = nil
		if n := len(h.entries()); n == 0 || n >= 650 {
			h.t.Fatalf("%d entries", n)
		}
		r := h.run("name=a.csv", long(650))
		if n := len(h.entries()); n != 650 || r.Import.Created != 650 || r.Import.State != models.ImportDone {
			h.t.Errorf("%d entries, %+v", n, r.Import)
		}
		if all, _ := h.List(h.t.Context(), h.user.ID); len(all) != 1 {
			h.t.Errorf("%d imports", len(all))
		}
	})
}

func TestUndoDeletesWhatNobodyHasChanged(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		r := h.run("", january)
		var ids []string
		_ = h.store.ExpensesSyncedAfter(h.t.Context(), h.user.ID, models.Day(0).Time(), func(e models.Expense) error {
			ids = append(ids, e.ID)
			return nil
		})
		text := "Latte"
		change := models.Patch{Description: &text}
		if _, err := h.ledger.UpdateExpense(h.t.Context(), h.user.ID, ids[0], nil, change, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, ids[1], models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		for range 2 {
			i, err := h.Undo(h.t.Context(), h.user.ID, r.Import.ID, models.Author{})
			if err != nil || i.Removed != 1 || i.Kept != 1 || i.State != models.ImportUndone {
				h.t.Fatalf("%+v, %v", i, err)
			}
		}
		if got := h.entries(); len(got) != 1 || !strings.HasSuffix(got[0], "Latte") {
			h.t.Errorf("%v", got)
		}
		h.totals(h.run("", january), wire.ImportTotals{Rows: 4, New: 2, Duplicates: 1, Refused: 1}) // what was kept is still known
	})
}

func TestUndoOfAnotherUsersImport(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		r := h.run("", january)
		other := storetest.User(h.t, h.store)
		if _, err := h.Undo(h.t.Context(), other.ID, r.Import.ID, models.Author{}); models.KindOf(err) != models.NotFound {
			h.t.Errorf("%v", err)
		}
		if n := len(h.entries()); n != 3 {
			h.t.Errorf("%d entries", n)
		}
	})
}

func TestFITIDThatRepeatsKeepsEntriesApart(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		trn := func(amount string) string {
			return "<STMTTRN><DTPOSTED>20260105<TRNAMT>" + amount + "<FITID>X<NAME>SHOP</STMTTRN>"
		}
		content := "OFXHEADER:100\n<OFX><STMTRS><ACCTID>1" + trn("-5.00") + trn("-0.10") + trn("-5.00") + "</OFX>"
		h.totals(h.run("", content), wire.ImportTotals{Rows: 3, New: 3})
		h.totals(h.run("", content), wire.ImportTotals{Rows: 3, Duplicates: 3})
	})
}

func TestSecondImportAtOnceIsRefused(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		var second error
		h.onSaid = func(wire.ImportProgress) {
			_, second = h.Import(h.t.Context(), h.user.ID, models.Author{}, request(h.t, "", january))
		}
		h.run("", january)
		if wire.Code(second) != importer.CodeRunning {
			h.t.Errorf("%v", second)
		}
	})
}

// An entry of a deleted account leaves no row behind.
func TestAccountIsDeletedWithItsImports(t *testing.T) {
	each(t, ledger.Options{}, func(h *fixture) {
		r := h.run("", january)
		if err := h.store.DeleteUser(h.t.Context(), h.user.ID); err != nil {
			h.t.Fatal(err)
		}
		rows, err := h.store.RowsOfImport(h.t.Context(), h.user.ID, r.Import.ID, "", 10)
		all, err2 := h.List(h.t.Context(), h.user.ID)
		if err != nil || err2 != nil || len(rows)+len(all) != 0 {
			h.t.Errorf("%v, %v; %v, %v", rows, all, err, err2)
		}
	})
}

func TestRequestIsChecked(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"include=x", "include=1,,2", "name=" + strings.Repeat("x", 101), "name=%00", "dates=x"} {
		q, _ := url.ParseQuery(query)
		if _, err := importer.ParseRequest(q, nil); models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %v", query, err)
		}
	}
}
