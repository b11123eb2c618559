package portable_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/ledger"
	"expenseflow/internal/portable"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// checks is how many accounts a property is tried with: each is filled, moved and compared in
// two databases.
const checks = "20"

func TestMain(m *testing.M) {
	_ = flag.Set("rapid.checks", checks) // before the command line is parsed, which overrules it
	os.Exit(m.Run())
}

// A place is a database with what this package does to it.
type place struct {
	t      testing.TB
	store  *store.Store
	ledger *ledger.Ledger
	portable.Exporter
	portable.Importer
}

func newPlace(t testing.TB, o store.Options) *place {
	s := storetest.Open(t, o)
	l := ledger.New(s, nil, ledger.Options{})
	return &place{t, s, l, portable.Exporter{Store: s}, portable.Importer{Store: s, Ledger: l}}
}

// each runs a test on both engines with two databases.
func each(t *testing.T, test func(t *testing.T, here, there *place)) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		test(t, newPlace(t, options(t)), newPlace(t, options(t)))
	})
}

// fataler is what rapid.T and testing.T have in common.
type fataler interface{ Fatalf(string, ...any) }

func (p *place) export(t fataler, userID string, secrets bool) []byte {
	var out bytes.Buffer
	if err := p.JSON(context.Background(), userID, secrets, &out); err != nil {
		t.Fatalf("export: %v", err)
	}
	return out.Bytes()
}

func (p *place) take(t fataler, file []byte, o portable.ImportOptions) *portable.Summary {
	s, err := p.Import(context.Background(), bytes.NewReader(file), o)
	if err != nil {
		t.Fatalf("import: %v", err)
	}
	return s
}

var exportedAt = regexp.MustCompile(`"exportedAt": "[^"]*"`)

// undated returns an export without its moment.
func undated(file []byte) string { return exportedAt.ReplaceAllString(string(file), "") }

var (
	text   = rapid.StringMatching(`[=+\-@a-zà-ü"<>&,;' \n]{0,30}`)
	amount = rapid.Int64Range(int64(models.MinAmount), int64(models.MaxAmount))
	moment = rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(-3_000_000_000_000, 4_000_000_000_000).Draw(t, "moment")).UTC()
	})
)

// fill gives an account something of each kind.
func (p *place) fill(t *rapid.T, u models.User) {
	ctx, by := context.Background(), models.Author{DeviceID: "phone"}
	check := func(err error) {
		if err != nil {
			t.Fatalf("fill: %v", err)
		}
	}
	if rapid.Bool().Draw(t, "settings") {
		zone, currency := "Asia/Tokyo", rapid.SampledFrom([]string{"EUR", "JPY"}).Draw(t, "currency")
		_, err := p.ledger.ChangeSettings(ctx, u.ID, models.SettingsPatch{Zone: &zone, Currency: &currency}, by)
		check(err)
	}
	for range rapid.IntRange(0, 4).Draw(t, "expenses") {
		at := moment.Draw(t, "date")
		e, err := p.ledger.CreateExpense(ctx, u.ID, ledger.ExpenseCreation{Author: by, Draft: models.Draft{
			Description: "x" + text.Draw(t, "description"), Amount: models.Money(amount.Draw(t, "amount")), Date: &at,
			Category: rapid.SampledFrom(models.Categories).Draw(t, "category"), Type: rapid.SampledFrom(models.Types).Draw(t, "type"),
			Currency: rapid.SampledFrom([]string{"", "USD", "CHF"}).Draw(t, "currency"), Notes: text.Draw(t, "notes"),
			Tags: models.NewTags(rapid.SliceOfN(text, 0, 3).Draw(t, "tags")),
		}})
		check(err)
		if rapid.Bool().Draw(t, "commented") {
			_, err = p.ledger.Comment(ctx, u.ID, e.ID, "why "+text.Draw(t, "comment"))
			check(err)
		}
		if rapid.Bool().Draw(t, "changed") {
			merchant := text.Draw(t, "merchant")
			_, err = p.ledger.UpdateExpense(ctx, u.ID, e.ID, nil, models.Patch{Merchant: &merchant}, by)
			check(err)
		}
	}
	d := models.BudgetDraft{Name: "Food", Category: "food", Amount: models.Money(amount.Draw(t, "budget"))}
	if rapid.Bool().Draw(t, "started") {
		d.Start = moment.Draw(t, "start")
	}
	_, err := p.ledger.CreateBudget(ctx, u.ID, ledger.BudgetCreation{Draft: d})
	check(err)
	title, kind, date := "Boat", "savings", moment.Draw(t, "target")
	target, current := models.Money(amount.Draw(t, "goal")), models.Money(amount.Draw(t, "current"))
	milestones := []models.Milestone{{Amount: 1_000_000, Date: date}}
	_, err = p.ledger.CreateGoal(ctx, u.ID, models.GoalPatch{
		Title: &title, Type: &kind, TargetDate: &date, Target: &target, Current: &current, Milestones: &milestones,
	})
	check(err)
	_, err = p.ledger.SetPreferences(ctx, u.ID, func(n *models.NotificationPreferences) { n.Webhook.Secret = "s3cret" })
	check(err)
	check(p.store.Write(ctx, u.ID, func(tx *store.Tx) error {
		tx.InsertOperation(models.QueuedOperation{
			ID: ledger.NewID(), UserID: u.ID, Key: ledger.NewID(), State: models.Parked, CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
			Operation: models.Operation{
				Action: models.Create, ResourceType: "expense", ResourceID: "temp_1", Data: []byte(`{"amount":-1}`),
			},
			Result: models.Result{ResourceID: "temp_1", Status: models.StatusParked, Error: "no"},
		})
		return nil
	}))
}

func TestAnExportComesBackAsAnEqualAccount(t *testing.T) {
	each(t, func(t *testing.T, here, there *place) {
		rapid.Check(t, func(r *rapid.T) {
			u := storetest.User(t, here.store)
			here.fill(r, u)
			before := here.export(r, u.ID, true)
			o := portable.ImportOptions{KeepIDs: true}
			first := there.take(r, withHash(before), o)
			if len(first.Refusals) > 0 || !first.NewAccount {
				r.Fatalf("the first import: %+v", first)
			}
			for name, c := range there.take(r, withHash(before), o).Counts {
				if c.Same+c.Skipped != c.Read {
					r.Fatalf("the second import changed %s: %+v", name, c)
				}
			}
			if diff := cmp.Diff(undated(withHash(before)), undated(there.export(r, u.ID, true))); diff != "" {
				r.Fatalf("(-before +after):\n%s", diff)
			}
		})
	})
}

// withHash gives the account of an export a hash that can be imported: tests of others have none.
func withHash(file []byte) []byte {
	return bytes.Replace(file, []byte(`"passwordHash":"x"`), []byte(`"passwordHash":"$2a$10$`+strings.Repeat("a", 53)+`"`), 1)
}

func TestAnExportThatIsImportedTwiceIntoAnotherAccountIsThereOnce(t *testing.T) {
	each(t, func(t *testing.T, here, there *place) {
		rapid.Check(t, func(r *rapid.T) {
			a, b := storetest.User(t, here.store), storetest.User(t, here.store)
			here.fill(r, a)
			file := here.export(r, a.ID, false)
			here.take(r, file, portable.ImportOptions{Into: b.ID})
			once := undated(here.export(r, b.ID, false))
			here.take(r, file, portable.ImportOptions{Into: b.ID})
			if diff := cmp.Diff(once, undated(here.export(r, b.ID, false))); diff != "" {
				r.Fatalf("(-once +twice):\n%s", diff)
			}
		})
	})
}

func TestAnExportShowsNoSecretWithoutBeingAsked(t *testing.T) {
	each(t, func(t *testing.T, here, there *place) {
		rapid.Check(t, func(r *rapid.T) {
			u := storetest.User(t, here.store)
			here.fill(r, u)
			file := here.export(r, u.ID, false)
			if bytes.Contains(file, []byte("s3cret")) || bytes.Contains(file, []byte("passwordHash")) {
				r.Fatalf("%s", file)
			}
		})
	})
}

func TestASpreadsheetRunsNoFormulaOfAnExport(t *testing.T) {
	each(t, func(t *testing.T, here, _ *place) {
		u := storetest.User(t, here.store)
		for _, text := range []string{"=1+1", "+1", "-1", "@sum", "＝1", "plain, \"quoted\"\nand long"} {
			_, err := here.ledger.CreateExpense(t.Context(), u.ID, ledger.ExpenseCreation{
				Draft: models.Draft{Description: text, Amount: 12_500_000, Category: "food", Type: "expense"},
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := here.CSV(t.Context(), u.ID, &out); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 7 {
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		var texts []string
		for _, row := range rows[1:] {
			texts = append(texts, row[1])
			if row[4] != "-12.5" || row[5] != models.DefaultCurrency {
				t.Errorf("amount %s %s", row[4], row[5])
			}
		}
		want := []string{"plain, \"quoted\"\nand long", "'＝1", "'@sum", "'-1", "'+1", "'=1+1"}
		if diff := cmp.Diff(want, texts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// An id is known to whoever shares an entry, so a file could name somebody else's.
func TestAFileWithTheIDOfAnotherAccountWasImportedIntoIt(t *testing.T) {
	each(t, func(t *testing.T, here, _ *place) {
		u := storetest.User(t, here.store)
		file := strings.ReplaceAll(string(here.export(t, u.ID, false)), u.Email, "eve@example.org")
		_, err := here.Import(t.Context(), strings.NewReader(file), portable.ImportOptions{KeepIDs: true})
		if models.KindOf(err) != models.Conflict || !strings.Contains(models.Message(err), "--into") {
			t.Errorf("imported: %v", err)
		}
	})
}
