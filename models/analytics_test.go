package models

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func on(year int, month time.Month, day int) Day { return Date(year, month, day) }

func units(n int64) Sum { return Sum{Units: n} }

func spent(day Day, n int64) DayFlow {
	return DayFlow{day, Flow{Expense: units(n), Expenses: 1}}
}

// Weeks begin on Sunday; days before the first Sunday of a year are in week 0.
func TestWeeksAreNumberedAsInTheOriginal(t *testing.T) {
	for day, want := range map[Day]string{
		on(2026, time.January, 1):   "2026-W0", // a Thursday
		on(2026, time.January, 3):   "2026-W0",
		on(2026, time.January, 4):   "2026-W1",
		on(2023, time.January, 1):   "2023-W1", // a Sunday
		on(2024, time.December, 31): "2024-W52",
		on(2024, time.February, 29): "2024-W8",
	} {
		if got := trendLabel(TrendWeekly, day); got != want {
			t.Errorf("%s: %s, want %s", day, got, want)
		}
	}
}

func TestTrends(t *testing.T) {
	days := []DayFlow{
		{on(2026, time.January, 31), Flow{Income: units(1000), Expense: units(400), Incomes: 1, Expenses: 2}},
		spent(on(2026, time.February, 28), 600), spent(on(2026, time.March, 1), 100), spent(on(2026, time.March, 2), 200),
	}
	got := NewTrends(TrendMonthly, days)
	want := Trends{
		Period: TrendMonthly,
		Points: []TrendPoint{
			{Label: "2026-01", Flow: days[0].Flow},
			{Label: "2026-02", Flow: days[1].Flow, ExpenseGrowth: 50, IncomeGrowth: -100},
			{Label: "2026-03", Flow: Flow{Expense: units(300), Expenses: 2}, ExpenseGrowth: -50},
		},
		Summary: &TrendSummary{Flow{units(1000), units(1300), 1, 5}, 1000.0 / 3, 1300.0 / 3, Stable},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by month (-want +got):\n%s", diff)
	}
	byDay := NewTrends(Daily, days)
	if len(byDay.Points) != 4 || byDay.Summary.AverageExpense != want.Summary.AverageExpense ||
		byDay.Summary.Direction != Decreasing {
		t.Errorf("by day: %+v", byDay.Summary)
	}
	if none := NewTrends(Daily, nil); none.Summary != nil || len(none.Points) != 0 {
		t.Errorf("of nothing: %+v", none)
	}
}

func TestAPredictionGoesOnAsItWas(t *testing.T) {
	food := []CategoryTotal{{"food", units(600), 4}}
	tests := []struct {
		months []Sum
		want   Prediction
	}{
		{[]Sum{units(100)}, Prediction{Months: 1, Categories: []CategoryPrediction{}}},
		{
			[]Sum{units(100), units(200), units(300)}, // the next but one
			Prediction{500, 100, 200, 200, 100 - 100*math.Sqrt(20000.0/3)/200, Increasing, 3, []CategoryPrediction{{"food", 200, 150}}},
		},
		{
			[]Sum{units(300), units(0)},
			Prediction{0, -300, 150, 150, 0, Decreasing, 2, []CategoryPrediction{{"food", 300, 150}}},
		},
		{
			[]Sum{units(50), units(50), units(50), units(50)},
			Prediction{50, 0, 50, 50, 100, Stable, 4, []CategoryPrediction{{"food", 150, 150}}},
		},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Predict(tt.months, food)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", tt.months, diff)
		}
	}
}

// The first month with an expense begins the series; empty ones after it count.
func TestMonthsWithoutExpensesCountOnceThereWasOne(t *testing.T) {
	today := on(2026, time.November, 21)
	days := []DayFlow{
		{on(2026, time.June, 3), Flow{Income: units(9), Incomes: 1}},
		spent(on(2026, time.July, 1), 5), spent(on(2026, time.October, 31), 7), spent(on(2026, time.November, 1), 99),
	}
	if diff := cmp.Diff([]Sum{units(5), {}, {}, units(7)}, SpentByMonth(today, days)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestVelocityOfTheLastDayIsTheMonth(t *testing.T) {
	v := NewVelocity(on(2028, time.February, 29), Flow{Expense: units(290), Expenses: 3})
	if diff := cmp.Diff(Velocity{units(290), 3, 29, 29, 10, 290}, v); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if v = NewVelocity(on(2026, time.November, 10), Flow{Expense: units(100)}); v.Daily != 10 || v.Projection != 300 {
		t.Errorf("%+v", v)
	}
}

func TestInsights(t *testing.T) {
	today := on(2026, time.November, 21)
	days := []DayFlow{spent(on(2026, time.October, 1), 100), spent(on(2026, time.November, 1), 900)}
	largest := []Expense{{ID: "a", Amount: 900_000_000}, {ID: "b", Amount: 100_000_000}}
	i := NewInsights(today, days, []CategoryTotal{{"a", units(1), 1}, {"c", units(5), 1}, {"b", units(5), 1}}, largest)
	if i.Top.Category != "b" || i.ThisMonth != units(900) || i.LastMonth != units(100) || len(i.Unusual) != 0 ||
		i.Expense != units(1000) {
		t.Errorf("%+v", i)
	}
	days[0].Expenses = 9 // the average is 100 then
	if i = NewInsights(today, days, nil, largest); len(i.Unusual) != 1 || i.Unusual[0].ID != "a" || i.Top != nil {
		t.Errorf("%+v", i)
	}
}

// Every grouping of the days has the same totals.
func TestTrendsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var days []DayFlow
		var all Flow
		day := on(2025, time.December, 25)
		for range rapid.IntRange(0, 60).Draw(t, "days") {
			day += Day(rapid.IntRange(1, 20).Draw(t, "gap"))
			f := Flow{
				Income: SumOf(Money(rapid.Int64Range(0, 9e12).Draw(t, "income"))), Incomes: 1,
				Expense: SumOf(Money(rapid.Int64Range(0, 9e12).Draw(t, "expense"))), Expenses: 2,
			}
			days, all = append(days, DayFlow{day, f}), all.Plus(f)
		}
		trends := NewTrends(rapid.SampledFrom(TrendPeriods).Draw(t, "period"), days)
		var sum Flow
		for _, p := range trends.Points {
			sum = sum.Plus(p.Flow)
		}
		if sum != all || (trends.Summary != nil && trends.Summary.Flow != all) || (trends.Summary == nil) != (len(days) == 0) {
			t.Fatalf("%+v of %+v", sum, all)
		}
	})
}
