package store

import (
	"context"
	"encoding/json"
	"fmt"

	"expenseflow/models"
)

type goalRow struct {
	ID           string `gorm:"primaryKey"`
	UserID       string `gorm:"index:goals_user"`
	Title        string
	Description  string
	Target       int64
	CurrentValue int64
	Type         string
	Category     string
	TargetDate   int64
	Priority     string
	Status       string
	Reminder     string
	Milestones   string // JSON, see milestonePayload
	Version      int64
	CreatedAt    int64
	UpdatedAt    int64
}

func (goalRow) TableName() string { return "goals" }

var goalTable = &table{name: "goals", key: "id", columns: []column{
	{"id", text},
	{"user_id", text},
	{"title", text},
	{"description", text},
	{"target", integer},
	{"current_value", integer}, // "current" alone means something to a reader of SQL
	{"type", text},
	{"category", text},
	{"target_date", integer},
	{"priority", text},
	{"status", text},
	{"reminder", text},
	{"milestones", text},
	{"version", integer},
	{"created_at", integer},
	{"updated_at", integer},
}}

// A milestonePayload is a milestone as a goal's row keeps it. As with an
// expensePayload, names never change their meaning.
type milestonePayload struct {
	ID       string `json:"id"`
	Amount   int64  `json:"amount"` // millionths
	Date     int64  `json:"date"`   // this and the next: milliseconds since 1970
	Achieved *int64 `json:"achieved,omitempty"`
}

func goalValues(g models.Goal) []any {
	milestones := make([]milestonePayload, len(g.Milestones))
	for i, m := range g.Milestones {
		milestones[i] = milestonePayload{m.ID, int64(m.Amount), m.Date.UnixMilli(), orOpen(m.AchievedAt)}
	}
	return []any{
		g.ID, g.UserID, g.Title, g.Description, int64(g.Target), int64(g.Current), g.Type, g.Category,
		g.TargetDate.UnixMilli(), g.Priority, g.Status, g.Reminder, encoded(milestones),
		g.Version, g.CreatedAt.UnixMilli(), g.UpdatedAt.UnixMilli(),
	}
}

func scanGoal(row scanner) (models.Goal, error) {
	var g models.Goal
	var date, created, updated int64
	var kept string
	err := row.Scan(&g.ID, &g.UserID, &g.Title, &g.Description, &g.Target, &g.Current, &g.Type, &g.Category,
		&date, &g.Priority, &g.Status, &g.Reminder, &kept,
		&g.Version, &created, &updated)
	if err != nil {
		return g, err
	}
	g.TargetDate, g.CreatedAt, g.UpdatedAt = fromMillis(date), fromMillis(created), fromMillis(updated)
	var milestones []milestonePayload
	if err := json.Unmarshal([]byte(kept), &milestones); err != nil {
		return g, fmt.Errorf("milestones of goal %s: %w", g.ID, err)
	}
	for _, m := range milestones {
		g.Milestones = append(g.Milestones, models.Milestone{
			ID: m.ID, Amount: models.Money(m.Amount), Date: fromMillis(m.Date), AchievedAt: fromOpen(m.Achieved),
		})
	}
	return g, nil
}

var (
	errNoGoal   = models.E(models.NotFound, "Goal not found")
	selectGoals = "SELECT " + goalTable.names() + " FROM goals WHERE user_id = ?"
)

// Goals are the user's goals, newest first. There are at most models.MaxGoals.
func (s *Store) Goals(ctx context.Context, userID string) ([]models.Goal, error) {
	goals := []models.Goal{}
	err := s.rows(ctx, s.r, selectGoals+" ORDER BY created_at DESC, id DESC", []any{userID}, func(row scanner) error {
		g, err := scanGoal(row)
		goals = append(goals, g)
		return err
	})
	return goals, err
}

// Goal is the user's goal of this id; models.NotFound if there is none, or it is
// another user's.
func (tx *Tx) Goal(id string) (g models.Goal, err error) {
	found := false
	if models.ID24(id) {
		err = tx.query(selectGoals+" AND id = ?", []any{tx.user.ID, id}, func(row scanner) (err error) {
			g, err = scanGoal(row)
			found = true
			return err
		})
	}
	if err == nil && !found {
		err = errNoGoal
	}
	return g, err
}

// CountGoals is how many goals the user has.
func (tx *Tx) CountGoals() (n int, err error) {
	err = tx.query("SELECT COUNT(*) FROM goals WHERE user_id = ?", []any{tx.user.ID}, func(row scanner) error { return row.Scan(&n) })
	return n, err
}

// SaveGoal stores a goal, new or not. Unlike expenses, goals are written one at a
// time and by no batch, so they need no buffer.
func (tx *Tx) SaveGoal(g models.Goal) error {
	return save(tx, goalTable, []models.Goal{g}, goalTable.overwrite(), goalValues)
}

// DeleteGoal removes a goal that Goal gave.
func (tx *Tx) DeleteGoal(id string) error { return tx.delete("goals", "id", []string{id}) }
