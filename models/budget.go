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

// Around gives the period that holds t, in UTC, from included and to excluded.
func (p Period) Around(t time.Time) (from, to time.Time) {
	day := Day(t)
	switch p {
	case Weekly:
		from = day.AddDate(0, 0, -int(day.Weekday()))
		return from, from.AddDate(0, 0, 7)
	case Yearly:
		from = time.Date(day.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(1, 0, 0)
	}
	from = time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	return from, from.AddDate(0, 1, 0)
}

// Day is the beginning of t's day in UTC.
func Day(t time.Time) time.Time {
	y, m, d := t.UTC().Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
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
// It counts whole UTC days: those of the period, from the day of Start to the
// day of End, both included.
type Budget struct {
	ID        string // 24 hex digits
	UserID    string
	Name      string
	Category  string // one of BudgetCategories
	Amount    Money  // above zero
	Period    Period
	Start     time.Time // the zero time: always
	End       time.Time // the zero time: for ever
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
}

// Budget gives the budget that d describes, texts trimmed, times cut to whole
// milliseconds and defaults filled in.
func (d BudgetDraft) Budget() Budget {
	b := Budget{Period: Monthly, Threshold: DefaultThreshold}
	p := BudgetPatch{
		Name: &d.Name, Category: &d.Category, Amount: &d.Amount,
		Start: &d.Start, End: &d.End, Threshold: d.Threshold,
	}
	if d.Period != "" {
		p.Period = &d.Period
	}
	p.Apply(&b)
	return b
}

// Check gives every rule the draft breaks, and nil for a good one.
func (d BudgetDraft) Check() []Violation { return d.Budget().Check() }

// Apply writes the named fields into b, trimmed and cut, and touches nothing else.
func (p BudgetPatch) Apply(b *Budget) {
	set(&b.Name, mapped(p.Name, Trim))
	set(&b.Category, p.Category)
	set(&b.Amount, p.Amount)
	set(&b.Period, p.Period)
	set(&b.Start, millis(p.Start))
	set(&b.End, millis(p.End))
	set(&b.Threshold, p.Threshold)
}

// Check gives every rule that b breaks, and nil for a good budget.
func (b Budget) Check() []Violation {
	period := string(b.Period)
	vs := checkText("name", &b.Name, MaxBudgetName, true)
	vs = append(vs, checkOneOf("category", &b.Category, BudgetCategories)...)
	vs = append(vs, checkBudgetAmount(b.Amount)...)
	vs = append(vs, checkOneOf("period", &period, Periods)...)
	vs = append(vs, checkBudgetDates(b.Start, b.End)...)
	return append(vs, checkThreshold(b.Threshold)...)
}

func checkBudgetAmount(m Money) []Violation {
	switch {
	case m <= 0: // CONTRACT decision 15
		return []Violation{{Field: "amount", Rule: RulePositive, Value: m.String()}}
	case m > MaxAmount:
		return []Violation{{Field: "amount", Rule: RuleMax, Value: m.String()}}
	}
	return nil
}

func checkBudgetDates(start, end time.Time) []Violation {
	vs := append(checkDateOf("startDate", &start), checkDateOf("endDate", &end)...)
	if len(vs) == 0 && !start.IsZero() && !end.IsZero() && Day(end).Before(Day(start)) {
		return []Violation{{Field: "endDate", Rule: RuleOrder, Value: end.Format(time.RFC3339)}}
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

// ActiveAt tells whether the budget counts what happens at t.
func (b *Budget) ActiveAt(t time.Time) bool { return b.clamp(t).Equal(t) }

// clamp gives the moment of the budget's life that is nearest to t.
func (b *Budget) clamp(t time.Time) time.Time {
	if !b.Start.IsZero() && t.Before(Day(b.Start)) {
		return Day(b.Start)
	}
	if !b.End.IsZero() && !t.Before(Day(b.End).AddDate(0, 0, 1)) {
		return Day(b.End)
	}
	return t
}

// Round is when the period of the budget that holds t began. Before the budget's
// life it is its first period, after it the last.
func (b *Budget) Round(t time.Time) time.Time {
	from, _ := b.Period.Around(b.clamp(t))
	return from
}

// Window gives the days that the budget counts at t, from included and to
// excluded: the part of the period that lies in the budget's life. As with Round
// there always is one.
func (b *Budget) Window(t time.Time) (from, to time.Time) {
	from, to = b.Period.Around(b.clamp(t))
	if start := Day(b.Start); !b.Start.IsZero() && start.After(from) {
		from = start
	}
	if end := Day(b.End).AddDate(0, 0, 1); !b.End.IsZero() && end.Before(to) {
		to = end
	}
	return from, to
}

// Counts tells whether an expense of this category is one of the budget's.
func (b *Budget) Counts(category string) bool {
	return b.Category == AllCategories || b.Category == category
}

// A Level says how far a budget is used up.
type Level int

// The levels, in order (CONTRACT decision 15).
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
	From, To time.Time // the days that count, To excluded (Budget.Window)
	Spent    Sum       // in these days
	Level    Level
	Active   bool // false before the budget's first and after its last day
}

// Percentage is how much of the budget is spent, in percent with six decimals.
func (s *BudgetState) Percentage() float64 {
	percent := s.Spent.Float() / SumOf(s.Budget.Amount).Float() * 100
	return math.Round(percent*moneyUnit) / moneyUnit
}

// A BudgetAlert tells that a budget rose to the level that State shows. State is
// as it was then.
type BudgetAlert struct{ State BudgetState }
