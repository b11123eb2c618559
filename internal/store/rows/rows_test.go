package rows_test

import (
	"testing"

	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestTagsDefineATable(t *testing.T) {
	got := rows.Of(models.Share{})
	want := []rows.Column{
		{Name: "expense_id", Key: true},
		{Name: "user_id", Key: true},
		{Name: "role"},
		{Name: "created_at", Kind: rows.Integer},
	}
	same := func(a, b rows.Column) bool { return a.Name == b.Name && a.Kind == b.Kind && a.Key == b.Key }
	if got.Name != "shares" || got.Key() != "expense_id, user_id" || !cmp.Equal(want, got.Columns, cmp.Comparer(same)) {
		t.Errorf("%s (%s): %+v", got.Name, got.Key(), got.Columns)
	}
}

// A field without a kind of column is a mistake that is met at the first use of the table.
func TestAFieldThatNoColumnHoldsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("there is a table of it")
		}
	}()
	rows.Of(struct {
		ID string `gorm:"primaryKey"`
		OK bool
	}{})
}

func TestNamesOfDevicesComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := string(rapid.SliceOf(rapid.SampledFrom([]byte("\x00\\a0\xff\xc3\xbc\"'"))).Draw(rt, "name"))
		if got := rows.Original(rows.Storable(s)); got != s {
			rt.Fatalf("%q comes back as %q", s, got)
		}
	})
}

func FuzzNamesOfDevices(f *testing.F) {
	f.Add("temp_1795288041640")
	f.Add(`\00\` + "\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		kept := rows.Storable(s)
		if got := rows.Original(kept); got != s {
			t.Fatalf("%q is kept as %q and comes back as %q", s, kept, got)
		}
		if other := rows.Storable(kept); other == kept && kept != s {
			t.Fatalf("%q and %q are kept alike", s, kept)
		}
	})
}
