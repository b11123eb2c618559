package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

func (p *budgetFixture) createGoal(change func(*models.GoalPatch)) models.Goal {
	p.t.Helper()
	title, kind, target, date := "Holiday", "savings", models.Money(100_000_000), noon.AddDate(1, 0, 0)
	patch := models.GoalPatch{Title: &title, Type: &kind, Target: &target, TargetDate: &date}
	if change != nil {
		change(&patch)
	}
	g, err := p.CreateGoal(p.t.Context(), p.user.ID, patch)
	if err != nil {
		p.t.Fatal(err)
	}
	return g
}

func (p *budgetFixture) addToGoal(g models.Goal, amount models.Money) models.Goal {
	p.t.Helper()
	g, err := p.AddToGoal(p.t.Context(), p.user.ID, g.ID, amount)
	if err != nil {
		p.t.Fatal(err)
	}
	return g
}

func TestAGoalIsAchievedOnce(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		g := p.createGoal(func(g *models.GoalPatch) {
			g.Milestones = &[]models.Milestone{{Amount: 40_000_000, Date: noon}, {Amount: 90_000_000, Date: noon}}
		})
		g = p.addToGoal(g, 50_000_000)
		if g.Status != models.GoalActive || g.Milestones[0].AchievedAt.IsZero() || !g.Milestones[1].AchievedAt.IsZero() ||
			len(p.liveNotifications()) != 0 {
			p.t.Errorf("half of it: %+v, told %v", g, p.liveNotifications())
		}
		p.now = noon.Add(time.Hour)
		if g = p.addToGoal(g, 50_000_000); g.Status != models.GoalCompleted || len(p.liveNotifications()) != 1 {
			p.t.Errorf("all of it: %+v, told %v", g, p.liveNotifications())
		}
		g = p.addToGoal(g, 1)
		if !g.Milestones[0].AchievedAt.Before(g.Milestones[1].AchievedAt) || len(p.liveNotifications()) != 1 || g.Version != 4 {
			p.t.Errorf("more than all: %+v, told %v", g, p.liveNotifications())
		}
		g, err := p.SetGoalStatus(p.t.Context(), p.user.ID, g.ID, models.GoalActive)
		if g.Status != models.GoalActive || err != nil || len(p.liveNotifications()) != 1 {
			p.t.Errorf("made active again: %+v, %v", g, err)
		}
		stored, err := p.store.Goals(p.t.Context(), p.user.ID)
		if diff := cmp.Diff([]models.Goal{g}, stored); diff != "" || err != nil {
			p.t.Errorf("%v, stored (-want +got):\n%s", err, diff)
		}
	})
}

func TestGoalsGoWithTheirUser(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.createGoal(nil)
		p.setPreferences(func(n *models.NotificationPreferences) { n.SMS.Enabled = true })
		if err := p.store.DeleteUser(p.t.Context(), p.user.ID); err != nil {
			p.t.Fatal(err)
		}
		goals, err := p.store.Goals(p.t.Context(), p.user.ID)
		prefs, err2 := p.store.Preferences(p.t.Context(), p.user.ID)
		if len(goals) != 0 || prefs.SMS.Enabled || err != nil || err2 != nil {
			p.t.Errorf("%v %+v %v %v", goals, prefs, err, err2)
		}
	})
}
