package models

import (
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func onDay(s string) Day {
	d, ok := ParseDay(s)
	if !ok {
		panic(s)
	}
	return d
}

func TestPeriods(t *testing.T) {
	tests := []struct {
		period   Period
		at       string
		from, to string
	}{
		{Monthly, "2026-11-21", "2026-11-01", "2026-12-01"},
		{Monthly, "2024-02-29", "2024-02-01", "2024-03-01"},
		{Monthly, "2026-12-31", "2026-12-01", "2027-01-01"},
		{Weekly, "2026-11-21", "2026-11-15", "2026-11-22"}, // a Saturday
		{Weekly, "2026-11-22", "2026-11-22", "2026-11-29"}, // a Sunday
		{Weekly, "2027-01-01", "2026-12-27", "2027-01-03"},
		{Yearly, "2026-11-21", "2026-01-01", "2027-01-01"},
	}
	for _, tt := range tests {
		from, to := tt.period.Bounds(onDay(tt.at))
		if from != onDay(tt.from) || to != onDay(tt.to) {
			t.Errorf("%s around %s is %s to %s", tt.period, tt.at, from, to)
		}
	}
}

func TestAWindowIsThePartOfThePeriodInTheBudgetsLife(t *testing.T) {
	open := time.Time{}
	tests := []struct {
		name       string
		start, end time.Time
		at         string
		from, to   string
		active     bool
	}{
		{"always", open, open, "2026-11-21", "2026-11-01", "2026-12-01", true},
		{"begins within", day("2026-11-10").Add(9 * time.Hour), open, "2026-11-21", "2026-11-10", "2026-12-01", true},
		{"begins today", day("2026-11-21").Add(9 * time.Hour), open, "2026-11-21", "2026-11-21", "2026-12-01", true},
		{"ends today", open, day("2026-11-21"), "2026-11-21", "2026-11-01", "2026-11-22", true},
		{"ended yesterday", open, day("2026-11-20"), "2026-11-21", "2026-11-01", "2026-11-21", false},
		{"ended long ago", day("2025-01-15"), day("2025-03-10"), "2026-11-21", "2025-03-01", "2025-03-11", false},
		{"begins next year", day("2027-01-15"), open, "2026-11-21", "2027-01-15", "2027-02-01", false},
		{"one day", day("2026-11-21"), day("2026-11-21"), "2026-11-21", "2026-11-21", "2026-11-22", true},
	}
	for _, tt := range tests {
		b := BudgetDraft{Start: tt.start, End: tt.end}.Budget(time.UTC)
		from, to := b.Window(onDay(tt.at))
		if from != onDay(tt.from) || to != onDay(tt.to) || b.ActiveOn(onDay(tt.at)) != tt.active {
			t.Errorf("%s: %s to %s, active %v", tt.name, from, to, b.ActiveOn(onDay(tt.at)))
		}
	}
}

// TestEveryMomentOfALifeIsInItsWindow also finds windows that are empty.
func TestEveryMomentOfALifeIsInItsWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := func(name string) Day { return Day(rapid.Int64Range(0, 50_000).Draw(t, name)) }
		b := Budget{Period: Period(rapid.SampledFrom(Periods).Draw(t, "period")), Start: time.UnixMilli(1), End: time.UnixMilli(1)}
		b.StartDay, b.EndDay = d("start"), d("end")
		b.StartDay, b.EndDay = min(b.StartDay, b.EndDay), max(b.StartDay, b.EndDay)
		at := d("at")
		from, to := b.Window(at)
		inside := at >= from && at < to
		if from >= to || b.ActiveOn(at) != inside {
			t.Fatalf("on %s the window is %s to %s, active %v", at, from, to, b.ActiveOn(at))
		}
	})
}

// TestLevelsAreExact compares levels with the rule of docs/contract.md#budgets in integers.
func TestLevelsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Budget{
			Amount:    Money(rapid.Int64Range(1, int64(MaxAmount)).Draw(t, "amount")),
			Threshold: rapid.IntRange(MinThreshold, MaxThreshold).Draw(t, "threshold"),
		}
		spent := SumOf(Money(rapid.Int64Range(0, int64(b.Amount)).Draw(t, "spent")))
		if rapid.Bool().Draw(t, "near") { // around the edge that matters
			spent = SumOf(b.warnAmount()).Add(Money(rapid.Int64Range(-1, 1).Draw(t, "off")))
		}
		want := LevelNone
		hundredfold := new(big.Int).Mul(exact(spent), big.NewInt(100))
		switch {
		case exact(spent).Cmp(big.NewInt(int64(b.Amount))) > 0:
			want = LevelExceeded
		case hundredfold.Cmp(new(big.Int).Mul(big.NewInt(int64(b.Amount)), big.NewInt(int64(b.Threshold)))) >= 0:
			want = LevelThreshold
		}
		if got := b.LevelOf(spent); got != want {
			t.Fatalf("%s of %s at %d %% is level %d, want %d", spent, b.Amount, b.Threshold, got, want)
		}
	})
}

func TestExactlyAllOfItIsNotOver(t *testing.T) {
	b := Budget{Amount: 100_000_000, Threshold: 80}
	for spent, want := range map[Money]Level{
		79_999_999: LevelNone, 80_000_000: LevelThreshold, 100_000_000: LevelThreshold, 100_000_001: LevelExceeded,
	} {
		if got := b.LevelOf(SumOf(spent)); got != want {
			t.Errorf("%s of 100 is level %d, want %d", spent, got, want)
		}
	}
	s := BudgetState{Budget: b, Spent: SumOf(85_500_000)}
	if s.Percentage() != 85.5 {
		t.Errorf("85.5 of 100 is %v %%", s.Percentage())
	}
}

func TestABudgetsRules(t *testing.T) {
	good := BudgetDraft{Name: " Food ", Category: "food", Amount: 1}
	with := func(change func(*BudgetDraft)) BudgetDraft {
		d := good
		change(&d)
		return d
	}
	threshold := func(n int) BudgetDraft { return with(func(d *BudgetDraft) { d.Threshold = &n }) }
	tests := []struct {
		name  string
		draft BudgetDraft
		want  []Violation
	}{
		{"good", good, nil},
		{"all categories", with(func(d *BudgetDraft) { d.Category = AllCategories }), nil},
		{"one day", with(func(d *BudgetDraft) { d.Start, d.End = day("2026-11-21").Add(time.Hour), day("2026-11-21") }), nil},
		{"no name", with(func(d *BudgetDraft) { d.Name = " " }), []Violation{{Field: "name", Rule: RuleEmpty}}},
		{"NUL", with(func(d *BudgetDraft) { d.Name = "a\x00b" }), []Violation{{Field: "name", Rule: RuleNUL}}},
		{
			"a category of income", with(func(d *BudgetDraft) { d.Category = "salary" }),
			[]Violation{{Field: "category", Rule: RuleOneOf, Value: "salary"}},
		},
		{
			"no category", with(func(d *BudgetDraft) { d.Category = "rent" }),
			[]Violation{{Field: "category", Rule: RuleOneOf, Value: "rent"}},
		},
		{"zero", with(func(d *BudgetDraft) { d.Amount = 0 }), []Violation{{Field: "amount", Rule: RulePositive, Value: "0"}}},
		{
			"negative", with(func(d *BudgetDraft) { d.Amount = -5_000_000 }),
			[]Violation{{Field: "amount", Rule: RulePositive, Value: "-5"}},
		},
		{
			"absurd", with(func(d *BudgetDraft) { d.Amount = MaxAmount + 1 }),
			[]Violation{{Field: "amount", Rule: RuleMax, Value: "9000000000000.000001"}},
		},
		{
			"no period", with(func(d *BudgetDraft) { d.Period = "daily" }),
			[]Violation{{Field: "period", Rule: RuleOneOf, Value: "daily"}},
		},
		{
			"reversed", with(func(d *BudgetDraft) { d.Start, d.End = day("2026-11-21"), day("2026-11-20") }),
			[]Violation{{Field: "endDate", Rule: RuleOrder, Value: "2026-11-20T00:00:00Z"}},
		},
		{
			"year 10000", with(func(d *BudgetDraft) { d.Start = day("9999-12-31").AddDate(0, 0, 1) }),
			[]Violation{{Field: "startDate", Rule: RuleDate, Value: "253402300800000"}},
		},
		{"threshold 0", threshold(0), []Violation{{Field: "alertThreshold", Rule: RuleMin, Limit: 1, Value: "0"}}},
		{"threshold 101", threshold(101), []Violation{{Field: "alertThreshold", Rule: RuleMax, Limit: 100, Value: "101"}}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, tt.draft.Check(time.UTC)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	want := Budget{Name: "Food", Category: "food", Amount: 1, Period: Monthly, Threshold: 80}
	if diff := cmp.Diff(want, good.Budget(time.UTC)); diff != "" {
		t.Errorf("the budget of a draft (-want +got):\n%s", diff)
	}
}
