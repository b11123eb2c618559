package models

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The values of a goal's fields, in the order in which error texts list them.
var (
	GoalTypes      = []string{"savings", "expense_reduction", "income_increase", "debt_payoff"} // required
	GoalPriorities = []string{"low", "medium", "high"}                                          // default: medium
	GoalReminders  = []string{"daily", "weekly", "monthly", "none"}                             // default: weekly
	GoalStatuses   = []string{GoalActive, GoalCompleted, GoalPaused, GoalCancelled}             // default: active

	// GoalCategories are the categories of expenses and "general", the default.
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
	MaxGoals           = 100 // per user, because the list has no pages
)

// A Goal is an amount that a user wants to reach by a date. Only requests about the
// goal change Current; expenses do not.
type Goal struct {
	ID          string `gorm:"primaryKey"` // 24 hex digits
	UserID      string `gorm:"index:goals_user"`
	Title       string
	Description string      // may be empty
	Target      Money       // above zero
	Current     Money       `gorm:"column:current_value"` // zero or more; may exceed Target
	Type        string      // one of GoalTypes
	Category    string      // one of GoalCategories
	TargetDate  time.Time   `gorm:"serializer:millis"`
	Priority    string      // one of GoalPriorities
	Status      string      // one of GoalStatuses
	Reminder    string      // one of GoalReminders
	Milestones  []Milestone `gorm:"serializer:record"`
	Version     int64       // as Expense.Version
	CreatedAt   time.Time   `gorm:"serializer:millis"` // UTC, whole milliseconds
	UpdatedAt   time.Time   `gorm:"serializer:millis"`
}

// A Milestone is a part of a goal's amount.
type Milestone struct {
	ID         string    `log:"id"`     // 24 hex digits
	Amount     Money     `log:"amount"` // zero or more
	Date       time.Time `log:"date"`
	AchievedAt time.Time `log:"achieved,omitempty"` // zero: not yet
}

// A GoalPatch holds the fields of a goal to change; nil keeps a field.
type GoalPatch struct {
	Title, Description                         *string
	Target, Current                            *Money
	Type, Category, Priority, Status, Reminder *string
	TargetDate                                 *time.Time
	Milestones                                 *[]Milestone
}

// Goal returns the new goal that p describes, with defaults for the fields it lacks.
func (p GoalPatch) Goal() Goal {
	g := Goal{Category: "general", Priority: "medium", Status: GoalActive, Reminder: "weekly"}
	p.Apply(&g)
	return g
}

// Apply writes the fields that p names into g, trimmed and truncated. A milestone with
// the amount and date of an existing one keeps its ID and AchievedAt.
func (p GoalPatch) Apply(g *Goal) {
	setIf(&g.Title, mapPtr(p.Title, Trim))
	setIf(&g.Description, mapPtr(p.Description, Trim))
	setIf(&g.Target, p.Target)
	setIf(&g.Current, p.Current)
	setIf(&g.Type, p.Type)
	setIf(&g.Category, p.Category)
	setIf(&g.Priority, p.Priority)
	setIf(&g.Status, p.Status)
	setIf(&g.Reminder, p.Reminder)
	setIf(&g.TargetDate, millisPtr(p.TargetDate))
	if p.Milestones == nil {
		return
	}
	kept := make([]Milestone, len(*p.Milestones))
	for i, m := range *p.Milestones {
		m.Date = Millis(m.Date)
		if j := slices.IndexFunc(g.Milestones, m.equal); j >= 0 {
			m = g.Milestones[j]
		}
		kept[i] = m
	}
	g.Milestones = kept
}

func (m Milestone) equal(o Milestone) bool { return m.Amount == o.Amount && m.Date.Equal(o.Date) }

// Check returns every rule that g breaks; nil if valid.
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

// Advance updates what depends on the goal's current amount: milestones that it has
// reached become achieved, and an active goal that has reached its target becomes
// completed. It reports whether the goal was completed by this call.
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

// Overdue reports whether the goal is active and its target date has passed. today is
// in the account's zone. The target date is taken in UTC, as a date input sends it.
func (g *Goal) Overdue(today Day) bool {
	return g.Status == GoalActive && DayOf(g.TargetDate, time.UTC) < today
}
