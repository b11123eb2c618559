package models

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The values of a goal's fields, in the original's order; the first of each
// comment is the default.
var (
	GoalTypes      = []string{"savings", "expense_reduction", "income_increase", "debt_payoff"} // none: it must be named
	GoalPriorities = []string{"low", "medium", "high"}                                          // medium
	GoalReminders  = []string{"daily", "weekly", "monthly", "none"}                             // weekly
	GoalStatuses   = []string{GoalActive, GoalCompleted, GoalPaused, GoalCancelled}             // active

	// GoalCategories are the categories of expenses, and general, the default.
	GoalCategories = append(slices.Clone(Categories), "general")
)

// The statuses of a goal.
const (
	GoalActive    = "active"
	GoalCompleted = "completed"
	GoalPaused    = "paused"
	GoalCancelled = "cancelled"
)

// Limits of a goal.
const (
	MaxGoalTitle       = 100 // UTF-16 units
	MaxGoalDescription = 500 // UTF-16 units
	MaxMilestones      = 50
	MaxGoals           = 100 // of one user: the list is never paged
)

// A Goal is an amount that a user wants to reach until a day. Only its own
// requests move CurrentAmount; expenses do not.
type Goal struct {
	ID          string // 24 hex digits
	UserID      string
	Title       string
	Description string // may be empty
	Target      Money  // above zero
	Current     Money  // zero or more; may exceed Target
	Type        string // one of GoalTypes
	Category    string // one of GoalCategories
	TargetDate  time.Time
	Priority    string // one of GoalPriorities
	Status      string // one of GoalStatuses
	Reminder    string // one of GoalReminders
	Milestones  []Milestone
	Version     int64     // as Expense.Version
	CreatedAt   time.Time // UTC, whole milliseconds
	UpdatedAt   time.Time
}

// A Milestone is a part of a goal's amount.
type Milestone struct {
	ID         string // 24 hex digits
	Amount     Money  // zero or more
	Date       time.Time
	AchievedAt time.Time // the zero time: not yet
}

// A GoalPatch names the fields of a goal that a client wants changed; nil leaves
// a field alone.
type GoalPatch struct {
	Title, Description                         *string
	Target, Current                            *Money
	Type, Category, Priority, Status, Reminder *string
	TargetDate                                 *time.Time
	Milestones                                 *[]Milestone
}

// Goal gives the goal that p describes, with the defaults of what it does not name.
func (p GoalPatch) Goal() Goal {
	g := Goal{Category: "general", Priority: "medium", Status: GoalActive, Reminder: "weekly"}
	p.Apply(&g)
	return g
}

// Apply writes the named fields into g, trimmed and cut, and touches nothing else.
// A milestone that g had already, with the same amount and date, stays achieved.
func (p GoalPatch) Apply(g *Goal) {
	set(&g.Title, mapped(p.Title, Trim))
	set(&g.Description, mapped(p.Description, Trim))
	set(&g.Target, p.Target)
	set(&g.Current, p.Current)
	set(&g.Type, p.Type)
	set(&g.Category, p.Category)
	set(&g.Priority, p.Priority)
	set(&g.Status, p.Status)
	set(&g.Reminder, p.Reminder)
	set(&g.TargetDate, millis(p.TargetDate))
	if p.Milestones == nil {
		return
	}
	kept := make([]Milestone, len(*p.Milestones))
	for i, m := range *p.Milestones {
		m.Date = Millis(m.Date)
		if j := slices.IndexFunc(g.Milestones, m.same); j >= 0 {
			m = g.Milestones[j]
		}
		kept[i] = m
	}
	g.Milestones = kept
}

func (m Milestone) same(o Milestone) bool { return m.Amount == o.Amount && m.Date.Equal(o.Date) }

// Check gives every rule that g breaks, and nil for a good goal.
func (g Goal) Check() []Violation {
	vs := checkText("title", &g.Title, MaxGoalTitle, true)
	vs = append(vs, checkText("description", &g.Description, MaxGoalDescription, false)...)
	vs = append(vs, checkGoalAmount("targetAmount", g.Target)...)
	if g.Target == 0 {
		vs = append(vs, Violation{Field: "targetAmount", Rule: RulePositive})
	}
	vs = append(vs, checkGoalAmount("currentAmount", g.Current)...)
	vs = append(vs, checkOneOf("goalType", &g.Type, GoalTypes)...)
	vs = append(vs, checkOneOf("category", &g.Category, GoalCategories)...)
	vs = append(vs, checkDateOf("targetDate", &g.TargetDate)...)
	vs = append(vs, checkOneOf("priority", &g.Priority, GoalPriorities)...)
	vs = append(vs, checkOneOf("status", &g.Status, GoalStatuses)...)
	vs = append(vs, checkOneOf("reminderFrequency", &g.Reminder, GoalReminders)...)
	return append(vs, checkMilestones(g.Milestones)...)
}

// checkGoalAmount checks an amount that may be zero.
func checkGoalAmount(field string, m Money) []Violation {
	switch {
	case m < 0:
		return []Violation{{Field: field, Rule: RuleNegative, Value: m.String()}}
	case m > MaxAmount:
		return []Violation{{Field: field, Rule: RuleMax, Value: m.String()}}
	}
	return nil
}

func checkMilestones(ms []Milestone) (vs []Violation) {
	if len(ms) > MaxMilestones {
		return []Violation{{Field: "milestones", Rule: RuleTooMany, Limit: MaxMilestones, Value: strconv.Itoa(len(ms))}}
	}
	for i, m := range ms {
		field := fmt.Sprintf("milestones[%d].", i)
		vs = append(vs, checkGoalAmount(field+"amount", m.Amount)...)
		vs = append(vs, checkDateOf(field+"date", &m.Date)...)
	}
	return vs
}

// Advance draws what follows from the goal's amount at a moment: milestones that
// it has reached are achieved, and an active goal whose target it has reached is
// completed. It reports whether the goal was completed just now.
func (g *Goal) Advance(now time.Time) (completed bool) {
	for i := range g.Milestones {
		if m := &g.Milestones[i]; m.AchievedAt.IsZero() && g.Current >= m.Amount {
			m.AchievedAt = Millis(now)
		}
	}
	completed = g.Status == GoalActive && g.Current >= g.Target
	if completed {
		g.Status = GoalCompleted
	}
	return completed
}

// Overdue reports whether the goal is active although its day has passed. today
// is in the account's zone; the target's day is its UTC day, which is the one that
// a date field sends.
func (g *Goal) Overdue(today Day) bool {
	return g.Status == GoalActive && DayOf(g.TargetDate, time.UTC) < today
}
