package original_test

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/control"
	"expenseflow/internal/ledger"
	"expenseflow/internal/mongodump"
	"expenseflow/internal/mongodump/dumptest"
	"expenseflow/internal/operator"
	"expenseflow/internal/original"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A place is a database with the handler that imports into it.
type place struct {
	*store.Store
	t      *testing.T
	client *operator.Client
}

func newPlace(t *testing.T) place {
	t.Helper()
	return placeOf(t, storetest.New(t))
}

func placeOf(t *testing.T, s *store.Store) place {
	t.Helper()
	client, stop := control.Local(operator.Handler(operator.Options{
		Store: s, Ledger: ledger.New(s, nil, ledger.Options{}), Logger: slog.New(slog.DiscardHandler),
	}))
	t.Cleanup(stop)
	return place{s, t, &operator.Client{HTTP: client}}
}

// read opens a dump.
func read(t *testing.T, paths ...string) *mongodump.Dump {
	t.Helper()
	d, err := mongodump.Open(paths, mongodump.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// kept is a path of the dumps that MongoDB's tools wrote.
func kept(name string) string { return filepath.Join("..", "mongodump", "testdata", name) }

func (p place) importDump(d *mongodump.Dump) *original.Report {
	p.t.Helper()
	r, err := original.Import(p.t.Context(), p.client, d, original.Options{})
	if err != nil {
		p.t.Fatal(err)
	}
	return r
}

// outcomes is what a report says of each collection: read, new, same, changed, newer here, left
// out, refused.
func outcomes(r *original.Report) map[string][7]int64 {
	all := map[string][7]int64{}
	for _, c := range r.Collections {
		all[c.Name] = [7]int64{c.Read, c.New, c.Same, c.Changed, c.Kept, c.Skipped, c.Refused}
	}
	return all
}

var firstTime = map[string][7]int64{
	"users": {3, 3}, "expenses": {47, 47}, "budgets": {3, 2, 0, 0, 0, 1}, "goals": {1, 1}, "notifications": {2, 2},
	"notificationpreferences": {1, 1}, "syncqueues": {2, 1, 0, 0, 0, 1},
}

func TestADumpIsImportedOnce(t *testing.T) {
	p := newPlace(t)
	first := p.importDump(read(t, kept("dump.archive")))
	if diff := cmp.Diff(firstTime, outcomes(first)); diff != "" {
		t.Errorf("first time (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"receipts": 1, "workspaces": 1}, first.NotImported); diff != "" {
		t.Errorf("not imported (-want +got):\n%s", diff)
	}
	if s := first.Sums; s.Wrong != 0 || s.Expenses != 47 || s.Users != 3 {
		t.Errorf("sums: %+v", s)
	}
	before := p.ann()
	again := p.importDump(read(t, kept("folder-gzip")))
	for name, n := range outcomes(again) {
		if n[1] != 0 || n[3] != 0 || n[4] != 0 || n[2] != firstTime[name][1] {
			t.Errorf("%s, second time: %v", name, n)
		}
	}
	if after := p.ann(); after.Seq != before.Seq || after.Expenses != before.Expenses {
		t.Errorf("the second time changed the log: %d, before %d", after.Seq, before.Seq)
	}
}

func (p place) ann() models.User {
	p.t.Helper()
	u, err := p.UserByEmail(p.t.Context(), "ann@example.org")
	if err != nil {
		p.t.Fatal(err)
	}
	return u
}

func TestAnAccountIsAsItWas(t *testing.T) {
	p := newPlace(t)
	p.importDump(read(t, kept("export")))
	u := p.ann()
	got := models.User{
		ID: u.ID, Name: u.Name, ChosenCurrency: u.ChosenCurrency, CreatedAt: u.CreatedAt,
		Expenses: u.Expenses, Budgets: u.Budgets, Unread: u.Unread,
	}
	want := models.User{
		ID: idOf(t, "users", "ann@example.org"), Name: "Ann Example", ChosenCurrency: "EUR",
		CreatedAt: got.CreatedAt, Expenses: 23, Budgets: 1, Unread: 1,
	}
	if diff := cmp.Diff(want, got); diff != "" || got.CreatedAt.Year() != 2026 ||
		!bytes.HasPrefix(u.PasswordHash, []byte("$2a$12$")) {
		t.Errorf("%v %.7s (-want +got):\n%s", got.CreatedAt, u.PasswordHash, diff)
	}
	eur := u.Balance()
	if eur.Currency != "EUR" || len(eur.Others) != 1 || eur.Others[0].Currency != "USD" {
		t.Errorf("balance: %+v", eur)
	}
}

// idOf returns the id of a document in the kept dump.
func idOf(t *testing.T, collection, email string) (id string) {
	t.Helper()
	if err := read(t, kept("folder")).Each(
		func(ns mongodump.Namespace) bool { return ns.Collection == collection },
		func(d mongodump.Document) error {
			if d.Raw.Lookup("email").StringValue() == email {
				id = d.Raw.Lookup("_id").ObjectID().Hex()
			}
			return nil
		}); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestDocumentsOfTheFirstRevision(t *testing.T) {
	p := newPlace(t)
	r := p.importDump(read(t, kept("first-revision.archive")))
	want := map[string][7]int64{"users": {1, 1}, "expenses": {5, 5}, "syncqueues": {1, 1}}
	if diff := cmp.Diff(want, outcomes(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	u, err := p.UserByEmail(t.Context(), "carla@example.org")
	if err != nil {
		t.Fatal(err)
	}
	page, _, err := p.ParkedPage(t.Context(), u.ID, models.ParkedPlace{}, 10, 1<<20)
	if err != nil || len(page) != 1 || page[0].ResourceID != "temp_1" ||
		string(page[0].Data) != `{"amount":2,"category":"food","description":"Tea","type":"expense"}` {
		t.Errorf("parked: %+v %v", page, err)
	}
}

// What is of several databases, of none of ours or broken is refused before anything is written.
func TestWrongDumpsChangeNothing(t *testing.T) {
	whole, err := os.ReadFile(kept("dump.archive"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Replace(whole, []byte("Electricity"), []byte("electricity"), 1)
	shop := write(t, "shop", document("users", bson.D{{Key: "_id", Value: 1}, {Key: "login", Value: "root"}}),
		document("orders", bson.D{{Key: "_id", Value: 1}}))
	for _, tt := range []struct{ path, want string }{
		{file(t, whole[:len(whole)*2/3]), "dump is cut off: dump it again, or copy it again"},
		{file(t, whole[:len(whole)-100]), "dump is cut off"},
		{file(t, damaged), "dump is damaged: the checksum of the collection expenses is wrong. Dump it again, or copy it again"},
		{shop, "This is no dump of ExpenseFlow, whose users have an email and whose expenses have an amount and a user. " +
			"It has shop.orders (1), shop.users (1)"},
		{kept("two-databases.archive"), "The dump has several databases of ExpenseFlow: choose one of them with --db " +
			"(expenseflow, tracker)"},
	} {
		p := newPlace(t)
		_, err := original.Import(t.Context(), p.client, read(t, tt.path), original.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v\nwant %s", err, tt.want)
		}
		if all, err := p.Accounts(t.Context(), "", "", 10); err != nil || len(all) > 0 {
			t.Errorf("%s: %v %v is here", tt.want, all, err)
		}
	}
	both, named := read(t, kept("two-databases.archive")), original.Options{Database: "tracker"}
	if _, err := original.Import(t.Context(), newPlace(t).client, both, named); err != nil {
		t.Error(err)
	}
}

func file(t *testing.T, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "dump")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type inCollection struct {
	collection string
	document   bson.D
}

func document(collection string, d bson.D) inCollection { return inCollection{collection, d} }

// write writes an archive and returns its path.
func write(t *testing.T, db string, documents ...inCollection) string {
	t.Helper()
	var names []string
	for _, d := range documents {
		if !slices.Contains(names, d.collection) {
			names = append(names, d.collection)
		}
	}
	var out bytes.Buffer
	a := dumptest.NewArchive(&out, db, names...)
	for _, d := range documents {
		a.Add(d.collection, d.document)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return file(t, out.Bytes())
}

// hash is bcrypt's of "x".
const hash = "$2a$04$6NcEY0SfoijgVXxxmYMNXOnHHCxQ2Jz1YRj4NMwRYWYoVnLZiqyXC"

var aliceID = bson.NewObjectIDFromTimestamp(time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC))

func user(id any, email string) inCollection {
	return document("users", bson.D{
		{Key: "_id", Value: id},
		{Key: "name", Value: "N"},
		{Key: "email", Value: email},
		{Key: "password", Value: hash},
	})
}

// with returns a valid expense of alice with some fields replaced; nil removes one.
func with(fields ...any) inCollection {
	d := bson.M{
		"_id": bson.NewObjectID(), "user": aliceID, "description": "Lunch", "amount": 12.5, "category": "food", "type": "expense",
		"date": time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC),
	}
	for i := 0; i < len(fields); i += 2 {
		name, _ := fields[i].(string)
		if d[name] = fields[i+1]; fields[i+1] == nil {
			delete(d, name)
		}
	}
	out := bson.D{}
	for k, v := range d {
		out = append(out, bson.E{Key: k, Value: v})
	}
	return document("expenses", out)
}

func decimal(t *testing.T, s string) bson.Decimal128 {
	t.Helper()
	d, err := bson.ParseDecimal128(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// An unusual expense, and what becomes of it.
type unusual struct {
	name   string
	doc    inCollection
	amount string // "" if it is refused
	reason string // or the note
}

// expensesWith are expenses with one unusual value each.
func expensesWith(t *testing.T) []unusual {
	t.Helper()
	return []unusual{
		{"as it should be", with(), "12.5", ""},
		{"int32", with("amount", int32(7)), "7", ""},
		{"int64", with("amount", int64(8_000_000_000)), "8000000000", ""},
		{"Decimal128", with("amount", decimal(t, "1234.560")), "1234.56", ""},
		{"Decimal128 with an exponent", with("amount", decimal(t, "1.5E+3")), "1500", ""},
		{"a number in a text", with("amount", " 12.50 "), "12.5", ""},
		{"too many decimals", with("amount", 0.30000000000000004), "0.3", "an amount was rounded to six decimals"},
		{"NaN", with("amount", math.NaN()), "", `"amount" is no number but NaN or infinity`},
		{"infinity", with("amount", math.Inf(1)), "", `"amount" is no number but NaN or infinity`},
		{"Decimal128 NaN", with("amount", decimal(t, "NaN")), "", `"amount" is no number but NaN or infinity`},
		{"a text", with("amount", "12,50"), "", `"amount" is a text that is no number`},
		{"hexadecimal", with("amount", "0x10"), "", `"amount" is a text that is no number`},
		{"no amount", with("amount", nil), "", `"amount" must be greater than or equal to 0.01`},
		{"a truth", with("amount", true), "", `"amount" must be a number`},
		{"negative", with("amount", -3), "", `"amount" must be greater than or equal to 0.01`},
		{"enormous", with("amount", 1e300), "", `"amount" must be a safe number`},
		{"before 1970", with("date", time.Date(1907, 1, 2, 3, 4, 5, 0, time.UTC)), "12.5", ""},
		{"after 9999", with("date", time.Date(12024, 1, 2, 3, 4, 5, 0, time.UTC)), "", `"date" is not in the years 0 to 9999`},
		{"before Christ", with("date", time.Date(-5, 1, 2, 3, 4, 5, 0, time.UTC)), "", `"date" is not in the years 0 to 9999`},
		{"a day as a text", with("date", "2024-02-29"), "12.5", ""},
		{"no day", with("date", "yesterday"), "", `"date" must be a valid date`},
		{"no date", with("date", nil), "12.5", ""},
		{"an id that is a text", with("_id", "expense-1"), "12.5", "an _id that is no ObjectId was replaced by one made from it"},
		{"an id that is a number", with("_id", 42), "12.5", "an _id that is no ObjectId was replaced by one made from it"},
		{"a user that is a text", with("user", aliceID.Hex()), "12.5", ""},
		{"nobody's", with("user", nil), "", "It has no user"},
		{"somebody else's", with("user", bson.NewObjectID()), "", operator.ReasonNoAccount},
		{"of a user who is no id", with("user", "alice"), "", operator.ReasonNoAccount},
		{
			"no category", with("category", nil), "",
			`"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other]`,
		},
		{"a description that is a number", with("description", 7), "", `"description" must be a string`},
		{"no UTF-8", with("description", "a\xffb"), "", `"description" is no text in UTF-8`},
		{
			"too long", with("description", strings.Repeat("x", 101)), "",
			`"description" length must be less than or equal to 100 characters long`,
		},
		{"NUL", with("description", "a\x00b"), "", `"description" must not contain NUL characters`},
		{"in another currency", with("originalCurrency", "usd"), "12.5", ""},
	}
}

func TestBadValuesOfExpenses(t *testing.T) {
	for _, tt := range expensesWith(t) {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlace(t)
			r := p.importDump(read(t, write(t, "expenseflow", user(aliceID, "alice@example.org"), tt.doc)))
			expenses := *r.Collections[1]
			said := slices.Concat(expenses.Reasons, expenses.Notes)
			if (tt.reason == "") != (len(said) == 0) || len(said) > 0 && !strings.HasPrefix(said[0].Text, tt.reason) {
				t.Errorf("it says %v, want %q", texts(said), tt.reason)
			}
			u, err := p.UserByEmail(t.Context(), "alice@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if u.Expenses != expenses.New || (expenses.New == 1) != (tt.amount != "") || r.Sums.Wrong > 0 {
				t.Fatalf("%d expenses are here; %+v, %+v", u.Expenses, expenses, r.Sums)
			}
			if got := u.Totals; tt.amount != "" && (len(got) != 1 || totalOf(u) != tt.amount) {
				t.Errorf("the amount is %+v, want %s", got, tt.amount)
			}
		})
	}
}

func totalOf(u models.User) string {
	for _, t := range u.Totals {
		return t.Expense.String()
	}
	return ""
}

func texts(groups []*original.Group) (all []string) {
	for _, g := range groups {
		all = append(all, g.Text)
	}
	return all
}

func TestBadUsers(t *testing.T) {
	bob, eve := bson.NewObjectID(), bson.NewObjectID()
	p := newPlace(t)
	r := p.importDump(read(t, write(t, "expenseflow",
		user(aliceID, "alice@example.org"), user(bob, " ALICE@Example.org"), user("carl", "carl@example.org"), user(eve, "nobody"),
		with(), with("user", bob), with("user", "carl"), with("user", eve),
		document("users", bson.D{
			{Key: "_id", Value: bson.NewObjectID()}, {Key: "email", Value: "dora@example.org"}, {Key: "password", Value: "plain"},
		}),
	)))
	want := map[string][7]int64{"users": {5, 3, 0, 0, 0, 0, 2}, "expenses": {4, 2, 0, 0, 0, 0, 2}}
	if diff := cmp.Diff(want, outcomes(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	users := r.Collections[0]
	why := []string{"Another account here has this e-mail address", `"email" must be a valid email`}
	if diff := cmp.Diff(why, texts(users.Reasons)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"without a bcrypt password: expenseflow users reset-password ADDRESS gives one",
		"without a name, which is now the address up to the @",
	}, texts(users.Notes)); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Its user was not imported"}, texts(r.Collections[1].Reasons)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// A newer dump brings what is new, and leaves what was changed or deleted here.
func TestANewerDump(t *testing.T) {
	p, l := newPlace(t), (*ledger.Ledger)(nil)
	l = ledger.New(p.Store, nil, ledger.Options{})
	ids := []bson.ObjectID{bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID(), bson.NewObjectID()}
	yesterday, long := time.Now().Add(-24*time.Hour), time.Now().Add(-48*time.Hour)
	dump := func(description string, updated time.Time, more ...inCollection) *mongodump.Dump {
		all := []inCollection{user(aliceID, "alice@example.org")}
		for _, id := range ids[:3] {
			all = append(all, with("_id", id, "description", description, "updatedAt", updated))
		}
		return read(t, write(t, "expenseflow", append(all, more...)...))
	}
	p.importDump(dump("first", long))
	changed := "changed here"
	patch := models.Patch{Description: &changed}
	if _, err := l.UpdateExpense(t.Context(), aliceID.Hex(), ids[1].Hex(), nil, patch, models.Author{}); err != nil {
		t.Fatal(err)
	}
	if _, err := l.DeleteExpense(t.Context(), aliceID.Hex(), ids[2].Hex(), models.Author{}); err != nil {
		t.Fatal(err)
	}
	r := p.importDump(dump("second", yesterday, with("_id", ids[3])))
	if got, want := outcomes(r)["expenses"], [7]int64{4, 1, 0, 1, 2}; got != want || r.Sums.Wrong > 0 {
		t.Errorf("%v, want %v; %+v", got, want, r.Sums)
	}
}

// A dry run says what the import says afterwards, and changes nothing.
func TestADryRunSaysWhatWillBe(t *testing.T) {
	p := newPlace(t)
	p.importDump(read(t, kept("array/users.json"), kept("export/expenseflow.goals.json")))
	before := p.ann()
	dump := read(t, kept("dump.archive"))
	dry, err := original.Import(t.Context(), p.client, dump, original.Options{DryRun: true, Scratch: newPlace(t).client})
	if err != nil {
		t.Fatal(err)
	}
	if after := p.ann(); after.Seq != before.Seq || after.Expenses != 0 {
		t.Errorf("a dry run changed the account: %+v", after)
	}
	if diff := cmp.Diff(outcomes(p.importDump(dump)), outcomes(dry)); diff != "" {
		t.Errorf("(-import +dry run):\n%s", diff)
	}
	without, err := original.Import(t.Context(), nil, dump, original.Options{DryRun: true, Scratch: newPlace(t).client})
	if diff := cmp.Diff(firstTime, outcomes(without)); diff != "" || err != nil || without.Sums.Wrong > 0 {
		t.Errorf("without a database: %v (-want +got):\n%s", err, diff)
	}
}

// FuzzDocument imports documents that are no valid BSON inside.
func FuzzDocument(f *testing.F) {
	for _, name := range []string{
		"expenses", "goals", "notificationpreferences", "syncqueues", "notifications", "budgets", "users",
	} {
		content, err := os.ReadFile(kept("folder/expenseflow/" + name + ".bson"))
		if err != nil {
			f.Fatal(err)
		}
		length := int(content[0]) | int(content[1])<<8
		f.Add(content[:length])
	}
	f.Fuzz(func(_ *testing.T, data []byte) { original.MapDocument(data) })
}
