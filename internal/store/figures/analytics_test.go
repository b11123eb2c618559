package figures_test

import (
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"

	"github.com/google/go-cmp/cmp"
)

// A history is a user with entries, on a store whose clock stands still.
type history struct {
	t    *testing.T
	s    *store.Store
	user string
	n    int
}

var today = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

// eachHistory runs a test on both engines.
func eachHistory(t *testing.T, test func(h *history)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		o.Now = func() time.Time { return today }
		s := storetest.Open(t, o)
		test(&history{t: t, s: s, user: storetest.User(t, s).ID})
	})
}

// entry stores one of a day, such as "2026-11-01".
func (h *history) entry(day, kind, category string, amount models.Money, change ...func(*models.Expense)) {
	h.t.Helper()
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		h.t.Fatal(err)
	}
	h.n++
	err = h.s.Write(h.t.Context(), h.user, func(tx *store.Tx) error {
		e := models.Expense{
			ID: storetest.ID(), UserID: h.user, Description: fmt.Sprintf("Entry %d", h.n), Amount: amount * 1_000_000, Category: category,
			Type: kind,
			Date: date, Day: models.DayOf(date, time.UTC), Version: 1, LastSyncedAt: tx.Now(), CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
		}
		for _, c := range change {
			c(&e)
		}
		tx.InsertExpense(e)
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func units(n int64) models.Sum { return models.Sum{Units: n} }

// year is some entries, of which those outside the windows must not count.
func (h *history) year() {
	h.entry("2025-11-30", "expense", "travel", 7777)
	h.entry("2026-05-31", "expense", "food", 1000)
	h.entry("2026-08-15", "expense", "food", 100)
	h.entry("2026-09-15", "expense", "food", 200)
	h.entry("2026-10-31", "income", "salary", 2000)
	h.entry("2026-10-31", "expense", "bills", 300)
	h.entry("2026-11-01", "expense", "food", 40)
	h.entry("2026-11-20", "expense", "transport", 2)
	h.entry("2026-11-30", "expense", "food", 18) // dated ahead, but in this month
	h.entry("2026-12-01", "expense", "food", 5555)
}

func TestAnalyticsCountTheMonthsThatTheySay(t *testing.T) {
	eachHistory(t, func(h *history) {
		ctx := h.t.Context()
		h.year()
		trends, err := h.s.Trends(ctx, h.user, models.TrendMonthly, 3)
		var labels []string
		for _, p := range trends.Value.Points {
			labels = append(labels, fmt.Sprintf("%s %v %v %d", p.Label, p.Income, p.Expense, p.Entries()))
		}
		if diff := cmp.Diff([]string{"2026-09 0 200 1", "2026-10 2000 300 2", "2026-11 0 60 3"}, labels); diff != "" || err != nil {
			h.t.Errorf("%v, trends (-want +got):\n%s", err, diff)
		}
		months, err := h.s.Comparison(ctx, h.user, 2)
		if err != nil || len(months.Value) != 2 || months.Value[0].Current.Expense != units(60) ||
			months.Value[1].Previous.Expense != units(200) {
			h.t.Errorf("comparison: %+v, %v", months, err)
		}
		velocity, err := h.s.Velocity(ctx, h.user)
		if err != nil || velocity.Value.Spent != units(60) || velocity.Value.Day != 21 || velocity.Value.Days != 30 ||
			velocity.Value.Entries != 3 {
			h.t.Errorf("velocity: %+v, %v", velocity, err)
		}
		prediction, err := h.s.Prediction(ctx, h.user)
		if err != nil || prediction.Value.Months != 6 || prediction.Value.Average != 1600.0/6 || len(prediction.Value.Categories) != 2 {
			h.t.Errorf("prediction: %+v, %v", prediction, err)
		}
		insights, err := h.s.Insights(ctx, h.user)
		if err != nil || insights.Value.Expense != units(660) || insights.Value.Top.Category != "food" ||
			insights.Value.Top.Total != units(358) || len(insights.Value.Unusual) != 0 {
			h.t.Errorf("insights: %+v, %v", insights, err)
		}
		overview, err := h.s.Overview(ctx, h.user)
		if diff := cmp.Diff(models.Overview{
			Trends: trends.Value, Breakdown: overview.Value.Breakdown, Insights: insights.Value,
			Velocity: velocity.Value,
		}, overview.Value); diff != "" || err != nil {
			h.t.Errorf("overview: %v (-want +got):\n%s", err, diff)
		}
	})
}

func TestABreakdownHasTheDaysThatItIsAskedFor(t *testing.T) {
	eachHistory(t, func(h *history) {
		h.year()
		day := func(s string) models.DayRef {
			d, _ := models.ParseDay(s)
			return models.DayRefOf(d)
		}
		got, err := h.s.Breakdown(h.t.Context(), h.user, "expense", day("2026-08-15"), day("2026-11-01"))
		want := models.Breakdown{Type: "expense", Total: units(640), Categories: []models.CategoryRange{
			{CategoryTotal: models.CategoryTotal{Category: "food", Total: units(340), Count: 3}, Min: 40_000_000, Max: 200_000_000},
			{CategoryTotal: models.CategoryTotal{Category: "bills", Total: units(300), Count: 1}, Min: 300_000_000, Max: 300_000_000},
		}}
		if diff := cmp.Diff(want, got.Value); diff != "" || err != nil {
			h.t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		all, err := h.s.Breakdown(h.t.Context(), h.user, "expense", models.DayRef{}, models.DayRef{})
		if err != nil || all.Value.Total != units(14992) || len(all.Value.Categories) != 4 {
			h.t.Errorf("of all days: %+v, %v", all, err)
		}
		income, err := h.s.Breakdown(h.t.Context(), h.user, "income", models.DayRef{}, models.DayRef{})
		if err != nil || income.Value.Total != units(2000) {
			h.t.Errorf("of income: %+v, %v", income, err)
		}
	})
}

func TestUnusualExpensesAreTheLargest(t *testing.T) {
	eachHistory(t, func(h *history) {
		for range 30 {
			h.entry("2026-11-02", "expense", "food", 1)
		}
		for _, amount := range []models.Money{50, 80, 60, 70} {
			h.entry("2026-10-02", "expense", "shopping", amount)
		}
		h.entry("2026-07-31", "expense", "shopping", 5000) // before the window
		h.entry("2026-11-02", "income", "salary", 9000)
		i, err := h.s.Insights(h.t.Context(), h.user)
		var amounts []models.Money
		for _, e := range i.Value.Unusual {
			amounts = append(amounts, e.Amount/1_000_000)
		}
		if diff := cmp.Diff([]models.Money{80, 70, 60}, amounts); diff != "" || err != nil {
			h.t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// Who has nothing, or nothing any more, is told so; others' entries are not theirs.
func TestAnalyticsOfNobody(t *testing.T) {
	eachHistory(t, func(h *history) {
		h.year()
		nobody := storetest.User(h.t, h.s).ID
		trends, err := h.s.Trends(h.t.Context(), nobody, models.Daily, 24)
		overview, err2 := h.s.Overview(h.t.Context(), nobody)
		velocity, err3 := h.s.Velocity(h.t.Context(), nobody)
		if trends != nil || overview != nil || velocity.Value.Spent != (models.Sum{}) || velocity.Value.Day != 21 || err != nil ||
			err2 != nil || err3 != nil {
			h.t.Errorf("%v %v %v %v %v %v", trends, overview, velocity, err, err2, err3)
		}
		uses, err := h.s.DescriptionUses(h.t.Context(), nobody)
		if len(uses) != 0 || err != nil {
			h.t.Errorf("%v %v", uses, err)
		}
	})
}

func TestDescriptionsAreOfTheNewestEntries(t *testing.T) {
	eachHistory(t, func(h *history) {
		err := h.s.Write(h.t.Context(), h.user, func(tx *store.Tx) error {
			for i := range models.SuggestionEntries + 5 {
				e := models.Expense{
					ID: storetest.ID(), UserID: h.user, Description: "Coffee", Amount: 1, Category: "food", Type: "expense",
					Date: today.AddDate(0, 0, -i), Version: 1, LastSyncedAt: tx.Now(), CreatedAt: tx.Now(), UpdatedAt: tx.Now(),
				}
				if i >= models.SuggestionEntries {
					e.Description = "too old"
				} else if i < 2 {
					e.Category = "other"
				}
				tx.InsertExpense(e)
			}
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		uses, err := h.s.DescriptionUses(h.t.Context(), h.user)
		want := []models.DescriptionUse{
			{Description: "Coffee", Category: "food", Count: models.SuggestionEntries - 2},
			{Description: "Coffee", Category: "other", Count: 2},
		}
		if diff := cmp.Diff(want, uses); diff != "" || err != nil {
			h.t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	})
}

// A page asks on every load: among a hundred thousand entries that took two seconds.
func TestTooManyEntriesAreNotLookedThrough(t *testing.T) {
	eachHistory(t, func(h *history) {
		err := h.s.Write(h.t.Context(), h.user, func(tx *store.Tx) error {
			for i := range models.MaxRangeEntries + 1 {
				amount := models.Money(1_000_000)
				if i == 0 {
					amount *= 1000
				}
				tx.InsertExpense(models.Expense{
					ID: storetest.ID(), UserID: h.user, Description: "x", Amount: amount, Category: "food", Type: "expense",
					Date: today, Day: models.DayOf(today, time.UTC), Version: 1, LastSyncedAt: tx.Now(), CreatedAt: tx.Now(),
					UpdatedAt: tx.Now(),
				})
			}
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
		b, err := h.s.Breakdown(h.t.Context(), h.user, "expense", models.DayRef{}, models.DayRef{})
		if err != nil || b.Value.Total != units(models.MaxRangeEntries+1000) || b.Value.Categories[0].Max != 0 {
			h.t.Errorf("breakdown: %+v, %v", b, err)
		}
		i, err := h.s.Insights(h.t.Context(), h.user)
		if err != nil || i.Value.Expense != b.Value.Total || len(i.Value.Unusual) != 0 {
			h.t.Errorf("insights: %+v, %v", i, err)
		}
	})
}

// Ten dollars and ten rupees are not twenty of anything.
func TestAnalyticsCountOneCurrencyAndShowTheOthers(t *testing.T) {
	in := func(code string) func(*models.Expense) { return func(e *models.Expense) { e.Currency = code } }
	eachHistory(t, func(h *history) {
		h.entry("2026-11-02", "expense", "food", 10)
		h.entry("2026-11-02", "expense", "food", 10, in("INR"))
		h.entry("2026-11-02", "expense", "travel", 900, in("USD"))
		h.entry("2026-11-03", "income", "salary", 50, in("USD"))
		h.entry("2026-10-03", "expense", "food", 7, in("EUR"))
		usd := models.CurrencyTotal{Currency: "USD", Income: units(50), Expense: units(900), Count: 2}
		v, err := h.s.Velocity(h.t.Context(), h.user)
		if diff := cmp.Diff([]models.CurrencyTotal{usd}, v.Others); v.Value.Spent != units(20) || v.Currency != "INR" || err != nil ||
			diff != "" {
			h.t.Errorf("velocity: %+v, %v, others (-want +got):\n%s", v, err, diff)
		}
		o, err := h.s.Overview(h.t.Context(), h.user)
		if err != nil || len(o.Others) != 2 || o.Value.Breakdown.Total != units(20) ||
			o.Value.Breakdown.Categories[0].Max != 10_000_000 || o.Value.Trends.Summary.Expense != units(20) {
			h.t.Errorf("overview: %+v, %v", o, err)
		}
		i, err := h.s.Insights(h.t.Context(), h.user)
		if err != nil || i.Value.Top.Category != "food" || len(i.Value.Unusual) != 0 || len(i.Others) != 2 {
			h.t.Errorf("insights: %+v, %v", i, err)
		}
	})
}

// In Auckland it is the 1st of December while it still is November in Los Angeles.
func TestAnalyticsCountTheAccountsDays(t *testing.T) {
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		for zone, want := range map[string]string{"Pacific/Auckland": "1 of 31: 5", "America/Los_Angeles": "30 of 30: 3"} {
			o := options(t)
			o.Now = func() time.Time { return time.Date(2026, time.November, 30, 20, 0, 0, 0, time.UTC) }
			o.Zone, _ = models.LoadZone(zone)
			s := storetest.Open(t, o)
			h := &history{t: t, s: s, user: storetest.User(t, s).ID}
			h.entry("2026-11-30", "expense", "food", 3)
			h.entry("2026-12-01", "expense", "food", 5)
			v, err := s.Velocity(t.Context(), h.user)
			if got := fmt.Sprintf("%d of %d: %v", v.Value.Day, v.Value.Days, v.Value.Spent); got != want || err != nil {
				t.Errorf("%s: %s, %v, want %s", zone, got, err, want)
			}
		}
	})
}
