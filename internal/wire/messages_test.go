package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

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
		{with("description", quote(long)), "description: Path `description` (`" + long +
			"`) is longer than the maximum allowed length (100)."},
		{with("description", "[1]"), `description: Cast to string failed for value "[1]" (type Array) at path "description"`},
		{with("description", `"\u0000"`), "description: Path `description` contains a NUL character."},
		{with("date", `"soon"`), `date: Cast to date failed for value "soon" (type string) at path "date"`},
		{with("date", "8640000000000000"), `date: Cast to date failed for value "8640000000000000" (type number) at path "date"`},
		{with("currency", `"x"`), "currency: Path `currency` is invalid (X)."},
		{"", "description: Path `description` is required., amount: Path `amount` is required., category: Path `category` is " +
			"required., type: Path `type` is required."},
		{with("date", "null"), ""},
		{with("description", "7"), ""},
		{with("amount", "true"), ""},
		{with("$set", `{"user":"x"}`), ""},
		{with("_id", `"bbbbbbbbbbbbbbbbbbbbbbbb"`), ""},
	}
	for _, tt := range tests {
		_, _, err := wire.ParseMongooseDraft(json.RawMessage(tt.data))
		want := tt.want
		if want != "" {
			want = "Expense validation failed: " + want
		}
		if got := text(err); got != want {
			t.Errorf("%.100s\n got %s\nwant %s", tt.data, got, want)
		}
	}
	if _, _, err := wire.ParseMongooseDraft(json.RawMessage(`[1]`)); text(err) != `"data" must be of type object` {
		t.Errorf("got %v", err)
	}
}

// The length of a message is bounded, because it is stored with a parked operation.
func TestErrorsQuoteNoMoreThanAGlimpse(t *testing.T) {
	long := strings.Repeat("☃", 20_000)
	_, _, err := wire.ParseDraft(json.RawMessage(with(long, "1")))
	_, _, err2 := wire.ParseMongooseDraft(json.RawMessage(with("description", quote(long))))
	_, _, err3 := wire.ParseMongooseDraft(json.RawMessage(with("amount", quote(long))))
	for _, err := range []error{err, err2, err3} {
		if got := text(err); got == "" || len(got) > 2000 || !strings.Contains(got, "☃…") {
			t.Errorf("%d bytes: %.100s", len(got), got)
		}
	}
}

func TestCodesOfErrors(t *testing.T) {
	tests := []struct {
		err  error
		want string
	}{
		{errors.New("x"), "INTERNAL"},
		{models.E(models.Invalid, "x"), "INVALID"},
		{models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin}}), "INVALID"},
		{models.E(models.NotFound, "x"), "NOT_FOUND"},
		{&models.ConflictError{}, "CONFLICT"},
		{&models.Error{Kind: models.Unauthorized, Msg: "x", Code: "TOKEN_EXPIRED"}, "TOKEN_EXPIRED"},
		{models.E(models.Unavailable, "x"), "UNAVAILABLE"},
	}
	for _, tt := range tests {
		if got := wire.Code(tt.err); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.err, got, tt.want)
		}
	}
}

func TestViolationsInMongooseWords(t *testing.T) {
	broken := models.InvalidIf([]models.Violation{{Field: "amount", Rule: models.RuleMin, Value: "-1"}})
	want := "Path `amount` (-1) is less than minimum allowed value (0.01)."
	if got := wire.MongooseCreateError(broken); text(got) != "Expense validation failed: amount: "+want {
		t.Errorf("got %v", got)
	}
	if got := wire.MongooseUpdateError(broken); text(got) != "Validation failed: amount: "+want {
		t.Errorf("got %v", got)
	}
	other := errors.New("other")
	if got := wire.MongooseCreateError(other); !errors.Is(got, other) {
		t.Errorf("got %v", got)
	}
}
