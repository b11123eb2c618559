package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// with gives a good draft with one key set to a JSON value, or without the key
// for the value "".
func with(key, value string) string {
	fields := [][2]string{{"description", `"Lunch"`}, {"amount", "12.5"}, {"category", `"food"`}, {"type", `"expense"`}}
	var parts []string
	for _, f := range fields {
		if f[0] != key {
			parts = append(parts, fmt.Sprintf("%q:%s", f[0], f[1]))
		}
	}
	if value != "" {
		parts = append(parts, fmt.Sprintf("%q:%s", key, value))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

const (
	wrongCategory = `"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other]`
	wrongType     = `"type" must be one of [income, expense]`
)

// These are the texts of docs/contract.md#validation, of the original's own library.
func TestParseDraftSpeaksLikeJoi(t *testing.T) {
	tests := []struct{ body, want string }{
		{with("description", ""), `"description" is required`},
		{with("description", `""`), `"description" is not allowed to be empty`},
		{with("description", `" \t\ufeff"`), `"description" is not allowed to be empty`},
		{with("description", "null"), `"description" must be a string`},
		{with("description", "5"), `"description" must be a string`},
		{with("description", quote(strings.Repeat("x", 101))), `"description" length must be less than or equal to 100 characters long`},
		{with("description", quote(strings.Repeat("😀", 51))), `"description" length must be less than or equal to 100 characters long`},
		{with("description", `"a\u0000b"`), `"description" must not contain NUL characters`},
		{with("amount", ""), `"amount" is required`},
		{with("amount", "null"), `"amount" must be a number`},
		{with("amount", `""`), `"amount" must be a number`},
		{with("amount", `"abc"`), `"amount" must be a number`},
		{with("amount", `"1,000"`), `"amount" must be a number`},
		{with("amount", "true"), `"amount" must be a number`},
		{with("amount", "0"), `"amount" must be greater than or equal to 0.01`},
		{with("amount", "-5"), `"amount" must be greater than or equal to 0.01`},
		{with("amount", "0.009"), `"amount" must be greater than or equal to 0.01`},
		{with("amount", "9007199254740992"), `"amount" must be a safe number`},
		{with("amount", "-9007199254740992"), `"amount" must be a safe number`},
		{with("amount", "1e400"), `"amount" must be a safe number`},
		{with("amount", "9000000000000.01"), `"amount" must be less than or equal to 9000000000000`},
		{with("category", ""), `"category" is required`},
		{with("category", `"Food"`), wrongCategory},
		{with("category", "null"), wrongCategory},
		{with("category", `""`), wrongCategory},
		{with("type", ""), `"type" is required`},
		{with("type", `"loan"`), wrongType},
		{with("type", "7"), wrongType},
		{with("date", "null"), `"date" must be a valid date`},
		{with("date", `""`), `"date" must be a valid date`},
		{with("date", `"yesterday"`), `"date" must be a valid date`},
		{with("date", `"2024-13-01"`), `"date" must be a valid date`},
		{with("date", "true"), `"date" must be a valid date`},
		{with("date", "8640000000000001"), `"date" must be a valid date`},
		{with("date", "8640000000000000"), `"date" must be a valid date`}, // the year 275760
		{with("foo", "1"), `"foo" is not allowed`},
		{with("Description", `"x"`), `"Description" is not allowed`},
		{with("tags", "[]"), `"tags" is not allowed`},
		{with("currency", `"€"`), `"currency" must be 3 to 5 letters`},
		{with("currency", "1"), `"currency" must be a string`},
		{with("merchant", quote(strings.Repeat("x", 51))), `"merchant" length must be less than or equal to 50 characters long`},
		{with("notes", quote(strings.Repeat("x", 501))), `"notes" length must be less than or equal to 500 characters long`},
		{with("deviceId", quote(strings.Repeat("d", 257))), `"deviceId" length must be less than or equal to 256 characters long`},
		{with("deviceId", `"a\u0000"`), `"deviceId" must not contain NUL characters`},
		{with("version", `"new"`), `"version" must be a number`},
		{with("version", "1.5"), `"version" must be a number`},
		{"", `"description" is required`},
		{"  ", `"description" is required`},
		{"{}", `"description" is required`},
		{"[]", `"value" must be of type object`},
		{"null", `"value" must be of type object`},
		{`"x"`, `"value" must be of type object`},
		{`{"amount":1`, "Malformed JSON"},
		{`{"amount":1}}`, "Malformed JSON"},
		{"nope", "Malformed JSON"},
		// The first fault in the order of fields, unknown keys last.
		{`{"foo":1,"type":"x","category":"x","amount":"x","description":""}`, `"description" is not allowed to be empty`},
		{`{"foo":1,"type":"x","category":"x","amount":0,"description":"a"}`, `"amount" must be greater than or equal to 0.01`},
		{`{"b":1,"a":1,"description":"a","amount":1,"category":"food","type":"income"}`, `"b" is not allowed`},
	}
	for _, tt := range tests {
		_, _, err := wire.ParseDraft(json.RawMessage(tt.body))
		if got := models.Message(err); err == nil || got != tt.want || models.KindOf(err) != models.Invalid {
			t.Errorf("%.100s\n got %v\nwant %s", tt.body, err, tt.want)
		}
	}
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func TestParseDraftConverts(t *testing.T) {
	date := func(s string) *time.Time {
		d, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return &d
	}
	lunch := models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"}
	dated := func(s string) models.Draft { d := lunch; d.Date = date(s); return d }
	on := func(s, day string) models.Draft {
		d := dated(s)
		named, _ := models.ParseDay(day)
		d.Day = &named
		return d
	}
	amount := func(m models.Money) models.Draft { d := lunch; d.Amount = m; return d }
	tests := []struct {
		body string
		want models.Draft
	}{
		{with("", ""), lunch},
		{with("description", `"  Lunch\u00a0"`), lunch},
		{with("amount", `"12.5"`), lunch},
		{with("amount", `" 12 "`), amount(12_000_000)},
		{with("amount", "12.345"), amount(12_345_000)},
		{with("amount", "0.1234567"), amount(123_457)},
		{with("amount", "0.01"), amount(models.MinAmount)},
		{with("amount", "9000000000000"), amount(models.MaxAmount)},
		{with("amount", "1.25e1"), lunch},
		{with("date", `"2024-01-05"`), on("2024-01-05T00:00:00Z", "2024-01-05")},
		{with("date", `"2024-01-05","day":"2024-01-09"`), on("2024-01-05T00:00:00Z", "2024-01-05")},
		{with("date", `"2024-01-05T10:00:00Z","day":"2024-01-06"`), on("2024-01-05T10:00:00Z", "2024-01-06")},
		{with("date", `1700000000123,"day":null`), dated("2023-11-14T22:13:20.123Z")},
		{with("date", `"2024-01-05T10:00:00.1239+02:00"`), dated("2024-01-05T08:00:00.123Z")},
		{with("date", `"2024-01-05T10:00"`), on("2024-01-05T10:00:00Z", "2024-01-05")},
		{with("date", "1700000000123"), dated("2023-11-14T22:13:20.123Z")},
		{with("date", `"1700000000123"`), dated("2023-11-14T22:13:20.123Z")},
		{with("date", "-1"), dated("1969-12-31T23:59:59.999Z")},
		{
			with("description", `"x","description":"Lunch"`), // the last of a repeated key
			lunch,
		},
		{
			`{"description":"Rent","amount":1,"category":"bills","type":"expense","currency":" usd ","merchant":" M ","notes":"n"}`,
			models.Draft{Description: "Rent", Amount: 1_000_000, Category: "bills", Type: "expense", Currency: "USD", Merchant: "M", Notes: "n"},
		},
	}
	for _, tt := range tests {
		got, _, err := wire.ParseDraft(json.RawMessage(tt.body))
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", tt.body, err, diff)
		}
	}
}

func TestD1StripsWhatClientsSendAlong(t *testing.T) {
	body := `{"description":"Lunch","amount":12.5,"category":"food","type":"expense",
		"deviceId":"device_abc123xyz","timestamp":1795288041641,"_id":"temp_1","id":7,"user":"u","__v":0,
		"createdAt":"x","updatedAt":null,"offline":true,"pendingDelete":false,
		"workspaceId":"w","workspace":null,"addedBy":"a","isPrivate":true,"clientId":"c1","version":3}`
	d, m, err := wire.ParseDraft(json.RawMessage(body))
	if err != nil || d.Description != "Lunch" {
		t.Fatalf("got %+v, %v", d, err)
	}
	three := int64(3)
	if diff := cmp.Diff(wire.Meta{ID: "temp_1", DeviceID: "device_abc123xyz", ClientID: "c1", Version: &three}, m); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
}

func TestD6AcceptsTheCategoriesThatThePagesOffer(t *testing.T) {
	for _, c := range models.Categories {
		if d, _, err := wire.ParseDraft(json.RawMessage(with("category", quote(c)))); err != nil || d.Category != c {
			t.Errorf("%s: stored as %q, %v", c, d.Category, err)
		}
	}
}

func TestParsePatchNamesWhatChanges(t *testing.T) {
	p, m, err := wire.ParseCommandPatch(json.RawMessage(`{"id":"abc","amount":"7","merchant":"","version":"2"}`))
	if err != nil {
		t.Fatal(err)
	}
	seven, none, two := models.Money(7_000_000), "", int64(2)
	if diff := cmp.Diff(models.Patch{Amount: &seven, Merchant: &none}, p); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wire.Meta{ID: "abc", Version: &two}, m); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	if _, _, err := wire.ParseCommandPatch(json.RawMessage(`{"description":""}`)); models.Message(err) != `"description" is not allowed to be empty` {
		t.Errorf("got %v", err)
	}
}

func TestParseFullWantsAllButTheDate(t *testing.T) {
	p, _, err := wire.ParseFull(json.RawMessage(with("", "")))
	if err != nil || p.Date != nil || p.Merchant != nil || *p.Description != "Lunch" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, _, err := wire.ParseFull(json.RawMessage(with("type", ""))); models.Message(err) != `"type" is required` {
		t.Errorf("got %v", err)
	}
}

func TestD4RefusesOnlyWhatAQueueCannotProduce(t *testing.T) {
	op := func(key, value string) string {
		fields := map[string]string{"action": `"CREATE"`, "resourceType": `"expense"`, "resourceId": `"temp_1"`, "deviceId": `"d"`}
		fields[key] = value
		var parts []string
		for k, v := range fields {
			if v != "" {
				parts = append(parts, fmt.Sprintf("%q:%s", k, v))
			}
		}
		return `{"operations":[` + "{" + strings.Join(parts, ",") + "}]}"
	}
	good := ""
	tests := []struct{ body, want string }{
		{"", `"operations" is required`},
		{"{}", `"operations" is required`},
		{"[]", `"value" must be of type object`},
		{`{"operations":null}`, `"operations" must be an array`},
		{`{"operations":{}}`, `"operations" must be an array`},
		{`{"operations":[7]}`, `"operations[0]" must be of type object`},
		{`{"operations":[null]}`, `"operations[0]" must be of type object`},
		{`{"operations":[{}]}`, `"operations[0].action" is required`},
		{op("action", `"create"`), `"operations[0].action" must be one of [CREATE, UPDATE, DELETE]`},
		{op("action", "null"), `"operations[0].action" must be one of [CREATE, UPDATE, DELETE]`},
		{op("resourceType", `"budget"`), `"operations[0].resourceType" must be [expense]`},
		{op("resourceId", ""), `"operations[0].resourceId" is required`},
		{op("resourceId", "1"), `"operations[0].resourceId" must be a string`},
		{op("resourceId", `""`), `"operations[0].resourceId" is not allowed to be empty`},
		{op("resourceId", quote(strings.Repeat("r", 257))), `"operations[0].resourceId" length must be less than or equal to 256 characters long`},
		{op("deviceId", ""), `"operations[0].deviceId" is required`},
		{op("deviceId", `""`), `"operations[0].deviceId" is not allowed to be empty`},
		{op("deviceId", quote(strings.Repeat("d", 257))), `"operations[0].deviceId" length must be less than or equal to 256 characters long`},
		{`{"operations":[`, "Malformed JSON"},

		{op("foo", "1"), good},
		{op("Action", `"x"`), good},
		{op("data", "null"), good},
		{op("data", `"text"`), good}, // a result of its own says so
		{op("timestamp", `"1795288041641"`), good},
		{op("timestamp", `{}`), good},
		{op("resourceId", `"a\u0000b"`), good},
		{`{"operations":[],"foo":1}`, good},
	}
	for _, tt := range tests {
		_, err := wire.ParseBatch(json.RawMessage(tt.body))
		if got := text(err); got != tt.want {
			t.Errorf("%.120s\n got %q\nwant %q", tt.body, got, tt.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return models.Message(err)
}

// The bytes that the browser was seen to send (docs/contract.md#clients).
func TestParseBatchReadsTheBrowsersQueue(t *testing.T) {
	body := `{"operations":[
	{"action":"CREATE","resourceType":"expense","resourceId":"temp_1795288041640","data":{"description":"Lunch","amount":12.5,"category":"food","type":"expense"},"deviceId":"device_abc123xyz","timestamp":1795288041641},
	{"action":"DELETE","resourceType":"expense","resourceId":"bbbbbbbbbbbbbbbbbbbbbbbb","data":null,"deviceId":"device_abc123xyz","timestamp":"1795288041642"}]}`
	first, second := int64(1795288041641), int64(1795288041642)
	want := []models.Operation{
		{
			Action: models.Create, ResourceType: "expense", ResourceID: "temp_1795288041640", DeviceID: "device_abc123xyz", Timestamp: &first,
			Data: json.RawMessage(`{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`),
		},
		{Action: models.Delete, ResourceType: "expense", ResourceID: "bbbbbbbbbbbbbbbbbbbbbbbb", DeviceID: "device_abc123xyz", Timestamp: &second},
	}
	got, err := wire.ParseBatch(json.RawMessage(body))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// docs/contract.md#validation, last item.
func TestMongooseDraftNamesEveryFault(t *testing.T) {
	long := strings.Repeat("x", 101)
	tests := []struct{ data, want string }{
		{with("category", `"rent"`), "category: `rent` is not a valid enum value for path `category`."},
		{with("category", `""`), "category: Path `category` is required."},
		{with("amount", "-5"), "amount: Path `amount` (-5) is less than minimum allowed value (0.01)."},
		{with("amount", `"abc"`), `amount: Cast to Number failed for value "abc" (type string) at path "amount"`},
		{with("amount", "null"), "amount: Path `amount` is required."},
		{with("amount", "9e12"), ""},
		{with("amount", "9.1e12"), "amount: Path `amount` (9100000000000) is more than maximum allowed value (9000000000000)."},
		{with("description", `"  "`), "description: Path `description` is required."},
		{with("description", quote(long)), "description: Path `description` (`" + long + "`) is longer than the maximum allowed length (100)."},
		{with("description", "[1]"), `description: Cast to string failed for value "[1]" (type Array) at path "description"`},
		{with("description", `"\u0000"`), "description: Path `description` contains a NUL character."},
		{with("date", `"soon"`), `date: Cast to date failed for value "soon" (type string) at path "date"`},
		{with("date", "8640000000000000"), `date: Cast to date failed for value "8640000000000000" (type number) at path "date"`},
		{with("currency", `"x"`), "currency: Path `currency` is invalid (X)."},
		{"", "description: Path `description` is required., amount: Path `amount` is required., category: Path `category` is required., type: Path `type` is required."},
		{with("date", "null"), ""},
		{with("description", "7"), ""},
		{with("amount", "true"), ""},
		{with("$set", `{"user":"x"}`), ""},
		{with("_id", `"bbbbbbbbbbbbbbbbbbbbbbbb"`), ""},
	}
	for _, tt := range tests {
		_, _, err := wire.MongooseDraft(json.RawMessage(tt.data))
		want := tt.want
		if want != "" {
			want = "Expense validation failed: " + want
		}
		if got := text(err); got != want {
			t.Errorf("%.100s\n got %s\nwant %s", tt.data, got, want)
		}
	}
	if _, _, err := wire.MongooseDraft(json.RawMessage(`[1]`)); text(err) != `"data" must be of type object` {
		t.Errorf("got %v", err)
	}
}

func TestD30PatchTakesTheFieldsOfAnExpenseOnly(t *testing.T) {
	p, m, err := wire.MongoosePatch(json.RawMessage(
		`{"user":"x","_id":"y","$set":{"user":"z"},"$inc":{"amount":1},"createdAt":0,"deviceId":7,"amount":"3","version":4}`))
	if err != nil {
		t.Fatal(err)
	}
	three, four := models.Money(3_000_000), int64(4)
	if diff := cmp.Diff(models.Patch{Amount: &three}, p); diff != "" {
		t.Errorf("patch (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&four, m.Version); diff != "" {
		t.Errorf("version (-want +got):\n%s", diff)
	}
	_, _, err = wire.MongoosePatch(json.RawMessage(`{"amount":-1,"type":"x","version":"x"}`))
	want := "Validation failed: amount: Path `amount` (-1) is less than minimum allowed value (0.01)., " +
		"type: `x` is not a valid enum value for path `type`., " +
		`version: Cast to Number failed for value "x" (type string) at path "version"`
	if text(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestAccountTexts(t *testing.T) {
	reg := func(body string) error {
		_, err := wire.ParseRegistration(json.RawMessage(body), models.MinPassword)
		return err
	}
	login := func(body string) error { _, _, err := wire.ParseLogin(json.RawMessage(body)); return err }
	change := func(body string) error {
		_, err := wire.ParsePasswordChange(json.RawMessage(body), models.MinPassword)
		return err
	}
	tests := []struct {
		parse      func(string) error
		body, want string
	}{
		{reg, `{}`, `"name" is required`},
		{reg, `{"name":" ","email":"a@b.co","password":"secret"}`, `"name" is not allowed to be empty`},
		{reg, `{"name":7,"email":"a@b.co","password":"secret"}`, `"name" must be a string`},
		{reg, `{"name":"` + strings.Repeat("n", 51) + `","email":"a@b.co","password":"secret"}`, `"name" length must be less than or equal to 50 characters long`},
		{reg, `{"name":"Al","password":"secret"}`, `"email" is required`},
		{reg, `{"name":"Al","email":"a@b","password":"secret"}`, `"email" must be a valid email`},
		{reg, `{"name":"Al","email":"a@b.co"}`, `"password" is required`},
		{reg, `{"name":"Al","email":"a@b.co","password":""}`, `"password" is not allowed to be empty`},
		{reg, `{"name":"Al","email":"a@b.co","password":12345678}`, `"password" must be a string`},
		{reg, `{"name":"Al","email":"a@b.co","password":"12345"}`, `"password" length must be at least 6 characters long`},
		{reg, `{"name":"Al","email":"a@b.co","password":"secret","confirm":"secret"}`, `"confirm" is not allowed`},
		{reg, `{"name":"Al","email":" A@B.test ","password":"secret"}`, ""},
		{login, `{}`, `"email" is required`},
		{login, `{"email":"a@b.co"}`, `"password" is required`},
		{login, `{"email":"a@b.co","password":"x","remember":true}`, `"remember" is not allowed`},
		{login, `{"email":"A@b.local","password":"x"}`, ""},
		{change, `{"newPassword":"secret"}`, `"currentPassword" is required`},
		{change, `{"currentPassword":"x","newPassword":"12345"}`, `"newPassword" length must be at least 6 characters long`},
		{change, `{"currentPassword":"x","newPassword":"secret"}`, ""},
	}
	for _, tt := range tests {
		if got := text(tt.parse(tt.body)); got != tt.want {
			t.Errorf("%s\n got %q\nwant %q", tt.body, got, tt.want)
		}
	}
}

func TestD7LowersAddressesAndAsksOnlyForTheirSyntax(t *testing.T) {
	email, password, err := wire.ParseLogin(json.RawMessage(`{"email":" Al@Example.Local ","password":" p "}`))
	if email != "al@example.local" || password != " p " || err != nil {
		t.Errorf("got %q, %q, %v", email, password, err)
	}
}

// The pages of 10508e9 and later sign in with a box to be remembered, and their
// own server takes it.
func TestASignInThatAsksToBeRememberedIsNotRefused(t *testing.T) {
	for _, extra := range []string{`"rememberMe":true`, `"rememberMe":false,"totpToken":"123456"`} {
		email, password, err := wire.ParseLogin(json.RawMessage(`{"email":"a@b.co","password":"x",` + extra + `}`))
		if email != "a@b.co" || password != "x" || err != nil {
			t.Errorf("%s: got %q, %q, %v", extra, email, password, err)
		}
	}
}

func TestParseDeltaKeepsWhatItEchoes(t *testing.T) {
	got, err := wire.ParseDelta(json.RawMessage(`{"changes":[
		{"localId":"local_1","action":"create","data":{"amount":1},"version":0,"timestamp":1795288041641},
		{"id":"bbbbbbbbbbbbbbbbbbbbbbbb","action":"delete","version":"2","localId":5,"timestamp":"x"},
		{"action":"upsert"}, 7]}`))
	at, zero, two := int64(1795288041641), int64(0), int64(2)
	want := []models.DeltaChange{
		{Action: models.Create, LocalID: json.RawMessage(`"local_1"`), Data: json.RawMessage(`{"amount":1}`), Version: &zero, Timestamp: &at},
		{Action: models.Delete, ID: "bbbbbbbbbbbbbbbbbbbbbbbb", LocalID: json.RawMessage("5"), Version: &two},
		{},
		{},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, body := range []string{"", "{}", `{"changes":{}}`, `{"changes":null}`} {
		if _, err := wire.ParseDelta(json.RawMessage(body)); text(err) != "Invalid changes format" {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestCanonicalIsOneSpelling(t *testing.T) {
	for _, s := range []string{`{"b":1,"a":[1.50,"x"]}`, ` { "a" : [1.50,"x"] , "b":1 } `, `{"b":2,"a":[1.50,"\u0078"],"b":1}`} {
		if got := string(wire.Canonical(json.RawMessage(s))); got != `{"a":[1.50,"x"],"b":1}` {
			t.Errorf("%s: got %s", s, got)
		}
	}
}

func FuzzParseDraft(f *testing.F) {
	for _, s := range []string{with("", ""), with("date", `"2024-01-05"`), with("amount", `"1e3"`), with("foo", "[[1]]"), "", "[", `{"a":{"b":null}}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, m, err := wire.ParseDraft(json.RawMessage(body))
		checkRefusal(t, err)
		if err == nil {
			if vs := d.Check(); vs != nil {
				t.Fatalf("accepted what the rules refuse: %v", vs)
			}
			if models.UTF16Len(m.DeviceID) > wire.MaxID {
				t.Fatal("accepted a name that is too long")
			}
		}
		_, _, err = wire.ParseCommandPatch(json.RawMessage(body))
		checkRefusal(t, err)
		_, _, err = wire.ParseFull(json.RawMessage(body))
		checkRefusal(t, err)
		_, err = wire.ParseRegistration(json.RawMessage(body), 1)
		checkRefusal(t, err)
	})
}

func FuzzParseBatch(f *testing.F) {
	op := `{"action":"CREATE","resourceType":"expense","resourceId":"temp_1","data":` + with("", "") + `,"deviceId":"d","timestamp":1}`
	f.Add(`{"operations":[` + op + "," + op + `]}`)
	f.Add(`{"operations":[{"action":"UPDATE","resourceType":"expense","resourceId":"x","data":{"$set":1},"deviceId":"d"}]}`)
	f.Add(`{"operations":[],"changes":[{"action":"create","localId":1}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		ops, err := wire.ParseBatch(json.RawMessage(body))
		checkRefusal(t, err)
		for _, op := range ops {
			d, _, err := wire.MongooseDraft(op.Data)
			checkRefusal(t, err)
			if err == nil && d.Check() != nil {
				t.Fatalf("accepted what the rules refuse: %v", d.Check())
			}
			_, _, err = wire.MongoosePatch(op.Data)
			checkRefusal(t, err)
			if c := wire.Canonical(op.Data); string(wire.Canonical(c)) != string(c) {
				t.Fatalf("canonical form %s has another one", c)
			}
		}
		_, err = wire.ParseDelta(json.RawMessage(body))
		checkRefusal(t, err)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if kind := models.KindOf(err); err != nil && (kind != models.Invalid && kind != models.TooLarge || models.Message(err) == "") {
		t.Fatalf("refused without a word for the client: %v", err)
	}
}

// An error text never grows with what it quotes: it is parked and sent again.
func TestErrorsQuoteNoMoreThanAGlimpse(t *testing.T) {
	long := strings.Repeat("☃", 20_000)
	_, _, err := wire.ParseDraft(json.RawMessage(with(long, "1")))
	_, _, err2 := wire.MongooseDraft(json.RawMessage(with("description", quote(long))))
	_, _, err3 := wire.MongooseDraft(json.RawMessage(with("amount", quote(long))))
	for _, err := range []error{err, err2, err3} {
		if got := text(err); got == "" || len(got) > 2000 || !strings.Contains(got, "☃…") {
			t.Errorf("%d bytes: %.100s", len(got), got)
		}
	}
}

func TestNameOfALocalID(t *testing.T) {
	for raw, want := range map[string]string{`"local_1"`: "local_1", "5": "5", "": ""} {
		if got := wire.Name(json.RawMessage(raw)); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}
