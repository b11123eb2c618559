package portable_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"expenseflow/internal/portable"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

const head = `{"format":"expenseflow-account","version":1,` +
	`"account":{"id":"bbbbbbbbbbbbbbbbbbbbbbbb","name":"Bob","email":"bob@example.org"}`

const counts = `,"counts":{"expenses":1}}`

const oneExpense = `{"id":"aaaaaaaaaaaaaaaaaaaaaaaa","date":"2026-01-31T12:00:00.000Z","type":"expense",` +
	`"description":"Lunch","amount":12.5,"category":"food"}`

func TestADamagedFileIsRefusedWithASentence(t *testing.T) {
	p := newPlace(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, p.store)
	for name, tt := range map[string]struct{ file, want string }{
		"empty":            {"", "it was cut off"},
		"no JSON":          {"date;amount", "it is no JSON"},
		"an array":         {"[]", "it is no export of an account"},
		"another program":  {`{"users":[]}`, "it is no export of an account"},
		"a later version":  {`{"format":"expenseflow-account","version":2,"account":{}}`, "it needs a newer release"},
		"no version":       {`{"format":"expenseflow-account","account":{}}`, "it names no version"},
		"cut off":          {head + `,"expenses":[` + oneExpense[:50], "it was cut off"},
		"cut between":      {head + `,"expenses":[` + oneExpense + `]}`, "its end is missing"},
		"an element gone":  {head + `,"expenses":[` + `]` + counts, "it should have 1 of expenses and has 0"},
		"text after it":    {head + `,"expenses":[` + oneExpense + `]` + counts + "x", "it is no JSON"},
		"a second file":    {head + `,"expenses":[` + oneExpense + `]` + counts + head, "something follows"},
		"twice":            {head + `,"account":{}`, `it has "account" twice`},
		"order":            {`{"format":"expenseflow-account","version":1,"expenses":[]`, `comes before "account"`},
		"comments first":   {head + `,"comments":[]`, `comes before "expenses"`},
		"huge value":       {head + `,"expenses":["` + strings.Repeat("x", 2<<20), "longer than"},
		"deep":             {head + `,"x":` + strings.Repeat("[", 100), "nested deeper"},
		"wrong type":       {`{"format":7`, "wrong type"},
		"no time":          {head + `,"preferences":{"createdAt":"2026-01-01T00:0ooo0Z"}`, `"preferences" is not as it should be`},
		"account's time":   {strings.Replace(head, `"name"`, `"createdAt":"soon","name"`, 1), "is it a time such as"},
		"unknown password": {strings.Replace(head, `"name"`, `"passwordHash":"x","passwordScheme":"md5","name"`, 1), "md5"},
	} {
		o := portable.ImportOptions{Into: u.ID}
		if name == "unknown password" {
			o.Into = ""
		}
		_, err := p.Import(t.Context(), strings.NewReader(tt.file), o)
		if got := wire.NewErrorBody(err).Error; models.KindOf(err) != models.Invalid || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestABadElementStopsNoOther(t *testing.T) {
	p := newPlace(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, p.store)
	file := "\xef\xbb\xbf" + head + `,"later":{"a":[1,{"b":null}]},"expenses":[null,7,` + oneExpense + `,
		{"id":"2","date":"yesterday"},{"id":"3","amount":"much"},` +
		strings.Replace(oneExpense, `12.5`, `-1`, 1) + `],"counts":{"expenses":6}}`
	s := p.take(t, []byte(file), portable.ImportOptions{Into: u.ID})
	if c := s.Counts["expenses"]; c.Read != 6 || c.New != 1 || c.Refused != 5 || len(s.Refusals) != 5 {
		t.Errorf("%+v %+v", c, s.Refusals)
	}
	for _, r := range s.Refusals {
		if r.Reason == "" || r.Number == 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestEntriesKeepTheirCurrencyInAnAccountOfAnother(t *testing.T) {
	p := newPlace(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, p.store)
	francs := "CHF"
	if _, err := p.ledger.ChangeSettings(t.Context(), u.ID, models.SettingsPatch{Currency: &francs}, models.Author{}); err != nil {
		t.Fatal(err)
	}
	file := strings.Replace(head, `"name"`, `"currency":"EUR","name"`, 1) +
		`,"budgets":[{"id":"1","name":"x","category":"food","amount":1}]` +
		`,"expenses":[` + oneExpense + `],"counts":{"expenses":1,"budgets":1}}`
	s := p.take(t, []byte(file), portable.ImportOptions{Into: u.ID})
	if s.Counts["expenses"].New != 1 || s.Counts["budgets"].Refused != 1 {
		t.Errorf("%+v", s)
	}
	after, err := p.store.UserByID(t.Context(), u.ID)
	if err != nil || after.Totals.Of("EUR").Count != 1 {
		t.Errorf("totals %+v, %v", after.Totals, err)
	}
}

func TestAnAddressOfAnotherAccountIsRefused(t *testing.T) {
	p := newPlace(t, storetest.SQLiteOptions(t))
	storetest.User(t, p.store, "bob@example.org")
	_, err := p.Import(t.Context(), strings.NewReader(head+`,"counts":{}}`), portable.ImportOptions{KeepIDs: true})
	if models.KindOf(err) != models.Conflict {
		t.Errorf("%v", err)
	}
}

func FuzzImport(f *testing.F) {
	p := newPlace(f, storetest.SQLiteOptions(f))
	u := storetest.User(f, p.store)
	whole := head + `,"preferences":{"updatedAt":"2026-01-01T00:00:00Z","createdAt":"2026-01-01T00:00:00Z"},
		"budgets":[{"id":"1","name":"x",
		"category":"food","amount":1,"startDate":"2026-01-01T00:00:00Z"}],"goals":[{"id":"g","title":"t","targetAmount":1e3}],
		"expenses":[` + oneExpense + `],
		"comments":[{"id":"c","expenseId":"aaaaaaaaaaaaaaaaaaaaaaaa","authorId":"bbbbbbbbbbbbbbbbbbbbbbbb",
		"text":"hm"}],"notifications":[{"id":"n","title":"x","data":{}}],"parkedOperations":[{"id":"p","action":"CREATE","data":{}}],
		"sharedWithMe":[{}],"counts":{"expenses":1}}`
	for _, seed := range []string{whole, head, `{"format":"expenseflow-account"`, "[[[[", "\xef\xbb\xbf{", `{"x":1e999999999}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, err := p.Import(t.Context(), io.LimitReader(bytes.NewReader(file), 1<<16), portable.ImportOptions{Into: u.ID})
		if kind := models.KindOf(err); err != nil && kind != models.Invalid {
			t.Errorf("%v", err)
		}
	})
}

// What stays JSON goes to browsers as it is: some end a connection that brings no valid UTF-8,
// and programs have a bound on levels.
func TestImportedDataIsDataThatRequestsMayBring(t *testing.T) {
	p := newPlace(t, storetest.SQLiteOptions(t))
	u := storetest.User(t, p.store)
	notification := func(data string) string {
		return `{"type":"system","priority":"low","title":"Hi","message":"x","data":` + data + `}`
	}
	deep := strings.Repeat("[", 33) + strings.Repeat("]", 33)
	file := head + `,"notifications":[` + notification("{\"a\":\"\xff\"}") + "," + notification(deep) + `],"counts":{"notifications":2}}`
	did := p.take(t, []byte(file), portable.ImportOptions{Into: u.ID})
	if c := did.Counts["notifications"]; c.New != 1 || c.Refused != 1 || !strings.Contains(did.Refusals[0].Reason, "levels") {
		t.Errorf("%+v, %+v", c, did.Refusals)
	}
	if out := p.export(t, u.ID, false); !utf8.Valid(out) || !bytes.Contains(out, []byte("{\"a\":\"\ufffd\"}")) {
		t.Errorf("%s", out)
	}
}
