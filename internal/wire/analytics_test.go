package wire_test

import (
	"testing"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestDocumentsOfGoalsAndAnalytics(t *testing.T) {
	e := lunch()
	g := holiday()
	goldens(t, map[string]any{
		"goal": wire.NewGoal(g),
		"goal_plain": wire.NewGoal(models.Goal{
			ID: g.ID, UserID: g.UserID, Title: "x", CreatedAt: noon, UpdatedAt: noon,
			TargetDate: noon, Version: 1,
		}),
		"goal_summary": wire.NewGoalSummary([]models.Goal{g, {Status: models.GoalCompleted, Target: 1, Current: 2}},
			models.DayOf(noon, time.UTC)+730),
		"goal_summary_none": wire.NewGoalSummary(nil, 0),
		"goal_conflict":     wire.NewErrorBody(&models.ConflictError{Goal: &g}),
		"preferences":       wire.NewPreferences(models.User{ID: g.UserID, CreatedAt: noon}, models.DefaultPreferences()),
		"not_built":         wire.NewErrorBody(wire.ErrNoWorkspaces),
		"workspaces":        wire.ListResponse[struct{}]{Success: true, Data: []struct{}{}},
		"trends": wire.NewAnalyticsResponse(inRupees(dollars),
			wire.NewTrends(models.NewTrends(models.TrendMonthly, days())), nil),
		"trends_none":      wire.NewAnalyticsResponse(inRupees(), wire.NewTrends(models.NewTrends(models.TrendWeekly, nil)), nil),
		"nothing_analysed": wire.NewEmptyAnalyticsResponse(),
		"breakdown":        wire.NewBreakdown(breakdown()),
		"comparison":       wire.NewComparison(models.CompareMonths(models.DayOf(noon, time.UTC), 1, days())),
		"velocity":         wire.NewVelocity(models.NewVelocity(models.DayOf(noon, time.UTC), days()[1].Flow), noon),
		"prediction": wire.NewPrediction(models.Predict([]models.Sum{{Units: 100}, {Units: 250}},
			[]models.CategoryTotal{{Category: "food", Total: models.Sum{Units: 100}, Count: 3}})),
		"prediction_none": wire.NewPrediction(models.Predict(nil, nil)),
		"insights":        wire.NewInsights(notable(e), "EUR", noon),
		"insights_none":   wire.NewInsights(models.Insights{}, "INR", noon),
		"overview": wire.NewOverview(models.Overview{
			Breakdown: breakdown(), Insights: notable(e),
			Trends: models.NewTrends(models.TrendMonthly, days()),
		}, "JPY", noon),
		"suggested": wire.NewSuggestResponse([]models.Suggestion{{
			Category: "food", Confidence: 0.67, Entries: 1,
			Exact: true,
		}, {Category: "other", Confidence: 0.2, Entries: 2}}),
		"suggested_none": wire.NewSuggestResponse(nil),
	})
}

func days() []models.DayFlow {
	return []models.DayFlow{
		{Day: models.Date(2025, time.December, 1), Flow: models.Flow{
			Income:  models.Sum{Units: 300},
			Expense: models.Sum{Units: 90, Micros: 125_000}, Incomes: 1, Expenses: 2,
		}},
		{Day: models.DayOf(noon, time.UTC), Flow: models.Flow{Expense: models.Sum{Units: 60, Micros: 500_000}, Expenses: 1}},
	}
}

var dollars = models.CurrencyTotal{
	Currency: "USD", Income: models.Sum{Units: 9},
	Expense: models.Sum{Units: 10, Micros: 500_000}, Count: 2,
}

func inRupees(others ...models.CurrencyTotal) *models.Analysis[models.Trends] {
	return &models.Analysis[models.Trends]{Currency: "INR", Others: others}
}

func breakdown() models.Breakdown {
	return models.NewBreakdown("expense", []models.CategoryRange{
		{
			CategoryTotal: models.CategoryTotal{Category: "food", Total: models.Sum{Units: 10, Micros: 125_000}, Count: 3}, Min: 125_000,
			Max: 9_000_000,
		},
		{
			CategoryTotal: models.CategoryTotal{Category: "bills", Total: models.Sum{Units: 20}, Count: 1}, Min: 20_000_000,
			Max: 20_000_000,
		},
	})
}

func notable(e models.Expense) models.Insights {
	return models.Insights{
		Flow:      models.Flow{Income: models.Sum{Units: 100}, Expense: models.Sum{Units: 85}, Incomes: 1, Expenses: 9},
		Top:       &models.CategoryTotal{Category: "food", Total: models.Sum{Units: 51}, Count: 3},
		ThisMonth: models.Sum{Units: 25}, LastMonth: models.Sum{Units: 20}, Unusual: []models.Expense{e},
	}
}
