package models

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"time"
)

// A Period is the time after which a budget starts over.
type Period string

// The periods of a budget.
const (
	Monthly Period = "monthly"
	Weekly  Period = "weekly" // begins on Sunday
	Yearly  Period = "yearly"
)

// Periods lists all periods. Monthly is the default.
var Periods = []string{string(Monthly), string(Weekly), string(Yearly)}

// Bounds returns the bounds of the period that contains d: from is included, to is
// excluded.
func (p Period) Bounds(d Day) (from, to Day) {
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

// BudgetCategories lists the categories a budget may have: those of expenses, and all.
var BudgetCategories = append(slices.DeleteFunc(slices.Clone(Categories), func(c string) bool {
	return slices.Contains(IncomeCategories, c)
}), AllCategories)

// Limits of a budget.
const (
	MaxBudgetName    = 100 // UTF-16 units
	DefaultThreshold = 80  // percent
	MinThreshold     = 1
	MaxThreshold     = 100
	// MaxBudgets is per user: every change of an expense evaluates all of them.
	MaxBudgets = 100
)

// A Budget is a user's spending limit per period. It counts the expenses in the
// account's currency on the days of the period that lie between StartDay and EndDay,
// both included.
type Budget struct {
	ID        string    `gorm:"primaryKey" log:"id"` // 24 hex digits
	UserID    string    `gorm:"index:budgets_user" log:"user"`
	Name      string    `log:"name"`
	Category  string    `log:"category"` // one of BudgetCategories
	Amount    Money     `log:"amount"`   // above zero
	Period    Period    `log:"period"`
	Start     time.Time `gorm:"column:start_at;serializer:nullable" log:"start,omitempty"` // zero: no start
	End       time.Time `gorm:"column:end_at;serializer:nullable" log:"end,omitempty"`     // zero: no end
	StartDay  Day       `gorm:"serializer:nullable" log:"startDay" of:"Start"`             // the day of Start; 0 if Start is zero
	EndDay    Day       `gorm:"serializer:nullable" log:"endDay" of:"End"`                 // the day of End; 0 if End is zero
	Threshold int       `log:"threshold"`                                                  // percentage of Amount at which to warn
	Version   int64     `log:"version"`                                                    // as Expense.Version
	CreatedAt time.Time `gorm:"serializer:millis" log:"created"`                           // UTC, whole milliseconds
	UpdatedAt time.Time `gorm:"serializer:millis" log:"updated"`
}

// A BudgetDraft is a new budget as a client described it.
type BudgetDraft struct {
	Name       string
	Category   string
	Amount     Money
	Period     Period    // "": Monthly
	Start, End time.Time // zero: open
	Threshold  *int      // nil: DefaultThreshold

	StartDay, EndDay *Day // nil: the day of Start and End in the account's time zone
}

// A BudgetPatch holds the fields of a budget to change. nil keeps a field, a zero time
// removes a start or an end.
type BudgetPatch struct {
	Name       *string
	Category   *string
	Amount     *Money
	Period     *Period
	Start, End *time.Time
	Threshold  *int

	StartDay, EndDay *Day // as in BudgetDraft
}

// Budget returns the budget that d describes, for an account in zone: texts trimmed,
// times truncated to milliseconds and defaults filled in.
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

// Check returns every rule that the draft breaks, for an account in zone; nil if valid.
func (d BudgetDraft) Check(zone *time.Location) []Violation { return d.Budget(zone).Check() }

// Apply writes the fields that p names into b, trimmed and truncated. The day of a new
// time is its day in zone; a time equal to the stored one keeps the stored day.
func (p BudgetPatch) Apply(b *Budget, zone *time.Location) {
	setIf(&b.Name, mapPtr(p.Name, Trim))
	setIf(&b.Category, p.Category)
	setIf(&b.Amount, p.Amount)
	setIf(&b.Period, p.Period)
	setDated(&b.Start, &b.StartDay, millisPtr(p.Start), p.StartDay, zone)
	setDated(&b.End, &b.EndDay, millisPtr(p.End), p.EndDay, zone)
	setIf(&b.Threshold, p.Threshold)
	if b.Start.IsZero() {
		b.StartDay = 0
	}
	if b.End.IsZero() {
		b.EndDay = 0
	}
}

// Check returns every rule that b breaks; nil if valid.
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

// ActiveOn reports whether d lies between the budget's start and end.
func (b *Budget) ActiveOn(d Day) bool { return b.clamp(d) == d }

// clamp returns the day between the budget's start and end that is nearest to d.
func (b *Budget) clamp(d Day) Day {
	if !b.Start.IsZero() && d < b.StartDay {
		return b.StartDay
	}
	if !b.End.IsZero() && d > b.EndDay {
		return b.EndDay
	}
	return d
}

// PeriodStart returns the first day of the period that contains d. For a day before the
// budget's start it is the first period, for one after its end the last.
func (b *Budget) PeriodStart(d Day) Day {
	from, _ := b.Period.Bounds(b.clamp(d))
	return from
}

// Window returns the days whose expenses count on day d: from is included, to is
// excluded. It is the intersection of PeriodStart's period with the budget's start and end
// and is never empty.
func (b *Budget) Window(d Day) (from, to Day) {
	from, to = b.Period.Bounds(b.clamp(d))
	if !b.Start.IsZero() {
		from = max(from, b.StartDay)
	}
	if !b.End.IsZero() {
		to = min(to, b.EndDay+1)
	}
	return from, to
}

// Covers reports whether expenses of this category count towards the budget.
func (b *Budget) Covers(category string) bool {
	return b.Category == AllCategories || b.Category == category
}

// A Level is how far a budget is used up.
type Level int

// The levels, in order (docs/contract.md#budgets).
const (
	LevelNone      Level = iota
	LevelThreshold       // spent >= amount x threshold / 100
	LevelExceeded        // spent > amount
)

// LevelOf returns the level of the budget when spent was spent, in exact arithmetic.
func (b *Budget) LevelOf(spent Sum) Level {
	switch {
	case spent.Cmp(SumOf(b.Amount)) > 0:
		return LevelExceeded
	case spent.Cmp(SumOf(b.warnAmount())) >= 0:
		return LevelThreshold
	}
	return LevelNone
}

// warnAmount returns the smallest amount that reaches the threshold.
func (b *Budget) warnAmount() Money {
	hi, lo := bits.Mul64(uint64(b.Amount), uint64(b.Threshold))
	warn, rest := bits.Div64(hi, lo, 100)
	if rest > 0 {
		warn++
	}
	return Money(warn)
}

// A BudgetState is the evaluation of a budget at one time.
type BudgetState struct {
	Budget   Budget `gorm:"embedded"`
	From     Day    `gorm:"column:window_from"` // the days that count, To excluded (Budget.Window)
	To       Day    `gorm:"column:window_to"`
	Currency string `gorm:"-"`                              // of Budget.Amount and Spent: the account's
	Spent    Sum    `gorm:"embedded;embeddedPrefix:spent_"` // between From and To
	Level    Level
	Active   bool `gorm:"-"` // Budget.ActiveOn
}

// TableName implements GORM's Tabler.
func (BudgetState) TableName() string { return "budgets" }

// A BudgetReport is a BudgetState with the expenses in other currencies, ordered by
// currency code. They do not count towards the level.
type BudgetReport struct {
	BudgetState
	Others []CurrencySum
}

// Percentage returns Spent as a percentage of the amount, rounded to six decimals.
func (s *BudgetState) Percentage() float64 {
	percent := s.Spent.Float() / SumOf(s.Budget.Amount).Float() * 100
	return math.Round(percent*moneyUnit) / moneyUnit
}

// A BudgetAlert reports that a budget rose to State.Level. State is of that time.
type BudgetAlert struct{ State BudgetState }
