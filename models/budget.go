package models

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// A Period is how often a budget begins anew.
type Period string

// The periods of a budget.
const (
	Monthly Period = "monthly"
	Weekly  Period = "weekly" // from Sunday on, as the original's summary counts
	Yearly  Period = "yearly"
)

// Periods are the known ones; Monthly is what a draft without one gets.
var Periods = []string{string(Monthly), string(Weekly), string(Yearly)}

// Around gives the period that holds d, from included and to excluded.
func (p Period) Around(d Day) (from, to Day) {
	year, month, _ := d.Date()
	switch p {
	case Weekly:
		from = d - Day(d.Weekday())
		return from, from + 7
	case Yearly:
		return Date(year, time.January, 1), Date(year+1, time.January, 1)
	}
	return Date(year, month, 1), Date(year, month+1, 1)
}

// AllCategories is the category of a budget that counts every expense.
const AllCategories = "all"

// BudgetCategories are the categories a budget may have: those on which money is
// spent, or all.
var BudgetCategories = append(slices.DeleteFunc(slices.Clone(Categories), func(c string) bool {
	return slices.Contains(IncomeCategories, c)
}), AllCategories)

// Limits of a budget.
const (
	MaxBudgetName    = 100 // UTF-16 units
	DefaultThreshold = 80  // percent
	MinThreshold     = 1
	MaxThreshold     = 100
	// MaxBudgets is how many a user may have: each is looked at with every change.
	MaxBudgets = 100
)

// A Budget is how much a user wants to spend at most in each period.
//
// It counts what was spent in the account's currency on whole days: those of the
// period, from StartDay to EndDay, both included.
type Budget struct {
	ID        string // 24 hex digits
	UserID    string
	Name      string
	Category  string // one of BudgetCategories
	Amount    Money  // above zero
	Period    Period
	Start     time.Time // the zero time: always
	End       time.Time // the zero time: for ever
	StartDay  Day       // of Start, unless that is the zero time
	EndDay    Day       // of End, unless that is the zero time
	Threshold int       // percent of Amount at which to warn
	Version   int64     // as Expense.Version
	CreatedAt time.Time // UTC, whole milliseconds
	UpdatedAt time.Time
}

// A BudgetDraft is a new budget as a client described it.
type BudgetDraft struct {
	Name       string
	Category   string
	Amount     Money
	Period     Period    // "": Monthly
	Start, End time.Time // zero: open
	Threshold  *int      // nil: DefaultThreshold

	StartDay, EndDay *Day // of Start and End; nil: theirs in the account's zone
}

// A BudgetPatch names the fields of a budget that a client wants changed; nil
// leaves a field alone, a zero time opens an end.
type BudgetPatch struct {
	Name       *string
	Category   *string
	Amount     *Money
	Period     *Period
	Start, End *time.Time
	Threshold  *int

	StartDay, EndDay *Day // as in a BudgetDraft
}

// Budget gives the budget that d describes in an account of this zone, texts
// trimmed, times cut to whole milliseconds and defaults filled in.
func (d BudgetDraft) Budget(zone *time.Location) Budget {
	b := Budget{Period: Monthly, Threshold: DefaultThreshold}
	p := BudgetPatch{
		Name: &d.Name, Category: &d.Category, Amount: &d.Amount,
		Start: &d.Start, End: &d.End, StartDay: d.StartDay, EndDay: d.EndDay, Threshold: d.Threshold,
	}
	if d.Period != "" {
		p.Period = &d.Period
	}
	p.Apply(&b, zone)
	return b
}

// Check gives every rule the draft breaks in an account of this zone, and nil for
// a good one.
func (d BudgetDraft) Check(zone *time.Location) []Violation { return d.Budget(zone).Check() }

// Apply writes the named fields into b, trimmed and cut, and touches nothing
// else. A moment's day is that of zone; one that is the stored moment keeps its day.
func (p BudgetPatch) Apply(b *Budget, zone *time.Location) {
	set(&b.Name, mapped(p.Name, Trim))
	set(&b.Category, p.Category)
	set(&b.Amount, p.Amount)
	set(&b.Period, p.Period)
	setDated(&b.Start, &b.StartDay, millis(p.Start), p.StartDay, zone)
	setDated(&b.End, &b.EndDay, millis(p.End), p.EndDay, zone)
	set(&b.Threshold, p.Threshold)
	if b.Start.IsZero() {
		b.StartDay = 0
	}
	if b.End.IsZero() {
		b.EndDay = 0
	}
}

// Check gives every rule that b breaks, and nil for a good budget.
func (b Budget) Check() []Violation {
	period := string(b.Period)
	vs := checkText("name", &b.Name, MaxBudgetName, true)
	vs = append(vs, checkOneOf("category", &b.Category, BudgetCategories)...)
	vs = append(vs, checkBudgetAmount(b.Amount)...)
	vs = append(vs, checkOneOf("period", &period, Periods)...)
	vs = append(vs, b.checkDates()...)
	return append(vs, checkThreshold(b.Threshold)...)
}

func checkBudgetAmount(m Money) []Violation {
	switch {
	case m <= 0: // docs/contract.md#budgets
		return []Violation{{Field: "amount", Rule: RulePositive, Value: m.String()}}
	case m > MaxAmount:
		return []Violation{{Field: "amount", Rule: RuleMax, Value: m.String()}}
	}
	return nil
}

func (b *Budget) checkDates() []Violation {
	vs := append(checkDateOf("startDate", &b.Start), checkDateOf("endDate", &b.End)...)
	if len(vs) == 0 && !b.Start.IsZero() && !b.End.IsZero() && b.EndDay < b.StartDay {
		return []Violation{{Field: "endDate", Rule: RuleOrder, Value: b.End.Format(time.RFC3339)}}
	}
	return vs
}

func checkThreshold(percent int) []Violation {
	switch {
	case percent < MinThreshold:
		return []Violation{{Field: "alertThreshold", Rule: RuleMin, Limit: MinThreshold, Value: strconv.Itoa(percent)}}
	case percent > MaxThreshold:
		return []Violation{{Field: "alertThreshold", Rule: RuleMax, Limit: MaxThreshold, Value: strconv.Itoa(percent)}}
	}
	return nil
}

// ActiveOn tells whether the budget counts what happens on a day.
func (b *Budget) ActiveOn(d Day) bool { return b.clamp(d) == d }

// clamp gives the day of the budget's life that is nearest to d.
func (b *Budget) clamp(d Day) Day {
	if !b.Start.IsZero() && d < b.StartDay {
		return b.StartDay
	}
	if !b.End.IsZero() && d > b.EndDay {
		return b.EndDay
	}
	return d
}

// Round is when the period of the budget that holds d began. Before the budget's
// life it is its first period, after it the last.
func (b *Budget) Round(d Day) Day {
	from, _ := b.Period.Around(b.clamp(d))
	return from
}

// Window gives the days that the budget counts when it is day d, from included
// and to excluded: the part of the period that lies in the budget's life. As with
// Round there always is one.
func (b *Budget) Window(d Day) (from, to Day) {
	from, to = b.Period.Around(b.clamp(d))
	if !b.Start.IsZero() {
		from = max(from, b.StartDay)
	}
	if !b.End.IsZero() {
		to = min(to, b.EndDay+1)
	}
	return from, to
}

// Counts tells whether an expense of this category is one of the budget's.
func (b *Budget) Counts(category string) bool {
	return b.Category == AllCategories || b.Category == category
}

// A Level says how far a budget is used up.
type Level int

// The levels, in order (docs/contract.md#budgets).
const (
	LevelNone      Level = iota
	LevelThreshold       // spent >= amount x threshold / 100
	LevelExceeded        // spent > amount: exactly all of it is not over
)

// LevelOf gives the level of having spent so much, in exact arithmetic.
func (b *Budget) LevelOf(spent Sum) Level {
	switch {
	case spent.Cmp(SumOf(b.Amount)) > 0:
		return LevelExceeded
	case spent.Cmp(SumOf(b.warnAt())) >= 0:
		return LevelThreshold
	}
	return LevelNone
}

// warnAt is the least sum that reaches the threshold.
func (b *Budget) warnAt() Money {
	hi, lo := bits.Mul64(uint64(b.Amount), uint64(b.Threshold))
	warn, rest := bits.Div64(hi, lo, 100)
	if rest > 0 {
		warn++
	}
	return Money(warn)
}

// A BudgetState is how a budget stands at one moment.
type BudgetState struct {
	Budget   Budget
	From, To Day    // the days that count, To excluded (Budget.Window)
	Currency string // the account's, in which the budget is
	Spent    Sum    // of it in these days
	Level    Level
	Active   bool // false before the budget's first and after its last day
}

// A BudgetReport is a BudgetState with what was spent in its days in other
// currencies, by code, which is no part of its level.
type BudgetReport struct {
	BudgetState
	Others []CurrencySum
}

// Percentage is how much of the budget is spent, in percent with six decimals.
func (s *BudgetState) Percentage() float64 {
	percent := s.Spent.Float() / SumOf(s.Budget.Amount).Float() * 100
	return math.Round(percent*moneyUnit) / moneyUnit
}

// A BudgetAlert tells that a budget rose to the level that State shows. State is
// as it was then.
type BudgetAlert struct{ State BudgetState }
