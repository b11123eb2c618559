package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"expenseflow/models"
)

// CodeGoalLimit is the error code if a user has models.MaxGoals goals already.
const CodeGoalLimit = "GOAL_LIMIT"

// CreateGoal stores a new goal; it is completed at once if its target is reached already.
// Errors: *models.InvalidError, models.Invalid with CodeGoalLimit, and those of
// store.Write.
func (l *Ledger) CreateGoal(ctx context.Context, userID string, p models.GoalPatch) (models.Goal, error) {
	var g models.Goal
	err := l.Write(ctx, userID, func(w *Work) error {
		g = p.Goal()
		n, err := w.Tx.CountGoals()
		if err == nil && n >= models.MaxGoals {
			err = limitError(CodeGoalLimit, "There can be at most "+strconv.Itoa(models.MaxGoals)+" goals")
		}
		if err != nil {
			return err
		}
		g.ID, g.UserID, g.CreatedAt = NewID(), userID, w.Tx.Now()
		return w.saveGoal(&g, true)
	})
	if err != nil {
		return models.Goal{}, fmt.Errorf("create goal: %w", err)
	}
	return g, nil
}

// UpdateGoal changes the fields of p. seen is the version that the client last read, nil
// to overwrite any. If a newer version is stored, nothing changes and the error is a
// *models.ConflictError with the stored goal. Other errors: *models.InvalidError,
// models.NotFound, and those of store.Write.
func (l *Ledger) UpdateGoal(ctx context.Context, userID, id string, seen *int64, p models.GoalPatch) (models.Goal, error) {
	return l.changeGoal(ctx, userID, id, true, func(g *models.Goal) error {
		if seen != nil && g.Version > *seen {
			stored := *g
			return &models.ConflictError{Goal: &stored}
		}
		p.Apply(g)
		return nil
	})
}

// AddToGoal adds amount, which may be negative, to a goal's current amount. Errors are
// as for UpdateGoal; a result below zero or above models.MaxAmount is a
// *models.InvalidError.
func (l *Ledger) AddToGoal(ctx context.Context, userID, id string, amount models.Money) (models.Goal, error) {
	return l.changeGoal(ctx, userID, id, true, func(g *models.Goal) error {
		if amount > models.MaxAmount-g.Current { // avoids an overflow
			g.Current = models.MaxAmount + 1
		} else {
			g.Current += amount
		}
		return nil
	})
}

// SetGoalStatus sets a goal's status without evaluating it, so a goal whose target is
// reached can be made active again. Errors are as for UpdateGoal.
func (l *Ledger) SetGoalStatus(ctx context.Context, userID, id, status string) (models.Goal, error) {
	return l.changeGoal(ctx, userID, id, false, func(g *models.Goal) error {
		g.Status = status
		return nil
	})
}

func (l *Ledger) changeGoal(
	ctx context.Context, userID, id string, advance bool, change func(*models.Goal) error,
) (models.Goal, error) {
	var g models.Goal
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		if g, err = w.Tx.Goal(id); err != nil {
			return err
		}
		if err := change(&g); err != nil {
			return err
		}
		return w.saveGoal(&g, advance)
	})
	if err != nil {
		return models.Goal{}, fmt.Errorf("update goal: %w", err)
	}
	return g, nil
}

// saveGoal validates and stores the next version of a goal. If advance completes the
// goal, it adds a notification.
func (w *Work) saveGoal(g *models.Goal, advance bool) error {
	if err := models.InvalidIf(g.Check()); err != nil {
		return err
	}
	g.Version, g.UpdatedAt = g.Version+1, w.Tx.Now()
	for i := range g.Milestones {
		if g.Milestones[i].ID == "" {
			g.Milestones[i].ID = NewID()
		}
	}
	if advance && g.Advance(w.Tx.Clock()) {
		w.notifyGoal(g)
	}
	return w.Tx.SaveGoal(*g)
}

func (w *Work) notifyGoal(g *models.Goal) {
	w.notify(models.Notification{
		Type: models.NotifyGoal, Priority: models.PriorityMedium, Title: "Goal achieved",
		Message: fmt.Sprintf("You have reached %s of %s for your goal %q.", g.Current, g.Target, g.Title),
		Data: notificationData(struct {
			GoalID  string      `json:"goalId"`
			Title   string      `json:"title"`
			Target  json.Number `json:"targetAmount"`
			Current json.Number `json:"currentAmount"`
		}{g.ID, g.Title, json.Number(g.Target.String()), json.Number(g.Current.String())}),
	}, models.Author{})
}

// DeleteGoal removes a goal. Errors: models.NotFound, also if it was deleted before, and
// those of store.Write.
func (l *Ledger) DeleteGoal(ctx context.Context, userID, id string) error {
	err := l.Write(ctx, userID, func(w *Work) error {
		if _, err := w.Tx.Goal(id); err != nil {
			return err
		}
		return w.Tx.DeleteGoal(id)
	})
	if err != nil {
		return fmt.Errorf("delete goal: %w", err)
	}
	return nil
}
