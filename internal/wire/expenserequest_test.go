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

// with returns a good draft with one key set to a JSON value, or without the key
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
	checkJoiErrors(t, []refusal{
		{with("description", ""), `"description" is required`},
		{with("description", `""`), `"description" is not allowed to be empty`},
		{with("description", `" \t\ufeff"`), `"description" is not allowed to be empty`},
		{with("description", "null"), `"description" must be a string`},
		{with("description", "5"), `"description" must be a string`},
		{
			with("description", quote(strings.Repeat("x", 101))),
			`"description" length must be less than or equal to 100 characters long`,
		},
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
		{with("icon", "[]"), `"icon" is not allowed`},
		{with("tags", `"work"`), `"tags" must be an array of strings`},
		{with("tags", "null"), `"tags" must be an array of strings`},
		{with("tags", `["work",5]`), `"tags" must be an array of strings`},
		{with("tags", `["a\u0000b"]`), `"tags" must not contain NUL characters`},
		{with("tags", `["`+strings.Repeat("x", 31)+`"]`), `"tags" length must be less than or equal to 30 characters long`},
		{with("tags", `["a","b","c","d","e","f","g","h","i","j","k"]`), `"tags" must contain less than or equal to 10 items`},
		{with("currency", `"€"`), `"currency" must be 3 to 5 letters`},
		{with("currency", "1"), `"currency" must be a string`},
		{with("merchant", quote(strings.Repeat("x", 51))), `"merchant" length must be less than or equal to 50 characters long`},
		{with("notes", quote(strings.Repeat("x", 501))), `"notes" length must be less than or equal to 500 characters long`},
		{with("deviceId", quote(strings.Repeat("d", 257))), `"deviceId" length must be less than or equal to 256 characters long`},
		{with("deviceId", `"a\u0000"`), `"deviceId" must not contain NUL characters`},
		{with("version", `"new"`), `"version" must be a number`},
		{with("version", "1.5"), `"version" must be a number`},
	})
}

func TestParseDraftRefusesWholeBodiesLikeJoi(t *testing.T) {
	checkJoiErrors(t, []refusal{
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
	})
}

// A refusal is a body that is no expense, and what Joi says of it.
type refusal struct{ body, want string }

func checkJoiErrors(t *testing.T, tests []refusal) {
	t.Helper()
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
			models.Draft{
				Description: "Rent", Amount: 1_000_000, Category: "bills", Type: "expense", Currency: "USD", Merchant: "M",
				Notes: "n",
			},
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
	_, _, err = wire.ParseCommandPatch(json.RawMessage(`{"description":""}`))
	if models.Message(err) != `"description" is not allowed to be empty` {
		t.Errorf("got %v", err)
	}
}

func TestTagsOfAPatchAreKeptReplacedOrTakenOff(t *testing.T) {
	for body, want := range map[string]*models.Tags{
		`{}`: nil, `{"tags":[]}`: new(models.Tags("")), `{"tags":[" Work ","work"]}`: new(models.Tags("Work")),
	} {
		for name, parse := range map[string]func(json.RawMessage) (models.Patch, wire.Meta, error){
			"a socket": wire.ParseCommandPatch, "a batch": wire.ParseMongoosePatch,
		} {
			p, _, err := parse(json.RawMessage(body))
			if diff := cmp.Diff(models.Patch{Tags: want}, p); diff != "" || err != nil {
				t.Errorf("%s over %s: %v (-want +got):\n%s", body, name, err, diff)
			}
		}
	}
}

// Before there were tags, sockets and batches dropped the field whatever it was.
func TestTagsThatAreNoListOfTextsFailNeitherSocketsNorBatches(t *testing.T) {
	for _, tags := range []string{`"a,b"`, "null", "7", `{"a":1}`, `[{"name":"a"}]`, "[[]]", `[null]`, `["a",1]`, `["a",true]`} {
		for name, parse := range map[string]func(json.RawMessage) (models.Draft, wire.Meta, error){
			"a socket": wire.ParseCommandDraft, "a batch": wire.ParseMongooseDraft,
		} {
			if d, _, err := parse(json.RawMessage(with("tags", tags))); err != nil || d.Tags != "" {
				t.Errorf("%s over %s: %q, %v", tags, name, d.Tags, err)
			}
		}
	}
}

func TestParseFullWantsAllButTheDate(t *testing.T) {
	p, _, err := wire.ParseFullPatch(json.RawMessage(with("", "")))
	if err != nil || p.Date != nil || p.Merchant != nil || *p.Description != "Lunch" {
		t.Errorf("got %+v, %v", p, err)
	}
	if _, _, err := wire.ParseFullPatch(json.RawMessage(with("type", ""))); models.Message(err) != `"type" is required` {
		t.Errorf("got %v", err)
	}
}

func TestD30PatchTakesTheFieldsOfAnExpenseOnly(t *testing.T) {
	p, m, err := wire.ParseMongoosePatch(json.RawMessage(
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
	_, _, err = wire.ParseMongoosePatch(json.RawMessage(`{"amount":-1,"type":"x","version":"x"}`))
	want := "Validation failed: amount: Path `amount` (-1) is less than minimum allowed value (0.01)., " +
		"type: `x` is not a valid enum value for path `type`., " +
		`version: Cast to Number failed for value "x" (type string) at path "version"`
	if text(err) != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func FuzzParseDraft(f *testing.F) {
	for _, s := range []string{
		with("", ""), with("date", `"2024-01-05"`), with("amount", `"1e3"`), with("foo", "[[1]]"), "", "[",
		`{"a":{"b":null}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		d, m, err := wire.ParseDraft(json.RawMessage(body))
		checkRefusal(t, err)
		if err == nil {
			if vs := d.Check(); vs != nil {
				t.Fatalf("accepted what the rules refuse: %v", vs)
			}
			if models.UTF16Len(m.DeviceID) > wire.MaxIDLength {
				t.Fatal("accepted a name that is too long")
			}
		}
		_, _, err = wire.ParseCommandPatch(json.RawMessage(body))
		checkRefusal(t, err)
		_, _, err = wire.ParseFullPatch(json.RawMessage(body))
		checkRefusal(t, err)
		_, err = wire.ParseRegistration(json.RawMessage(body), 1)
		checkRefusal(t, err)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	if kind := models.KindOf(err); err != nil && (kind != models.Invalid && kind != models.TooLarge || models.Message(err) == "") {
		t.Fatalf("refused without a word for the client: %v", err)
	}
}
