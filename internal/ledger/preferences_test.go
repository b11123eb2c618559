package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// setPreferences sets the user's preferences.
func (p *budgetFixture) setPreferences(change func(*models.NotificationPreferences)) {
	p.t.Helper()
	if _, err := p.SetPreferences(p.t.Context(), p.user.ID, change); err != nil {
		p.t.Fatal(err)
	}
}

// liveNotifications returns the titles of the notifications that were sent live, in order.
func (p *budgetFixture) liveNotifications() []string {
	p.t.Helper()
	titles := []string{}
	for _, c := range p.log() {
		if c.Kind == models.NotificationCreated {
			titles = append(titles, c.Notification.Title)
		}
	}
	return titles
}

// Notifications of a disabled type are stored and counted, but not sent live.
func TestASwitchedOffTypeIsKeptAndNotTold(t *testing.T) {
	low := models.Money(-1_000_000_000)
	eachBudgetFixture(t, ledger.Options{NotifyExpenses: true, LowBalance: &low}, func(p *budgetFixture) {
		p.setPreferences(func(n *models.NotificationPreferences) { n.Push.Types = []string{models.NotifyExpense} })
		p.createBudget(nil)
		p.spend("2000", noon) // the budget, the balance and the expense
		if diff := cmp.Diff([]string{"Expense added"}, p.liveNotifications()); diff != "" || len(p.alerts()) != 0 || p.unread() != 3 {
			p.t.Errorf("%d alerts, %d unread, told (-want +got):\n%s", len(p.alerts()), p.unread(), diff)
		}
		p.setPreferences(func(n *models.NotificationPreferences) { n.Push.Enabled = false })
		p.spend("1", noon)
		if len(p.liveNotifications()) != 1 || p.unread() != 4 {
			p.t.Errorf("with nothing pushed: %v, %d unread", p.liveNotifications(), p.unread())
		}
	})
}

func TestNothingIsToldInQuietHours(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{NotifyExpenses: true}, func(p *budgetFixture) {
		p.setPreferences(func(n *models.NotificationPreferences) {
			n.Quiet = models.QuietHours{Enabled: true, Start: "22:00", End: "07:00", Zone: "America/New_York"} // UTC-5 then
		})
		for hour, want := range map[int]bool{2: true, 3: false, 11: false, 12: true, 18: true} {
			before := len(p.liveNotifications())
			p.now = time.Date(2026, time.November, 21, hour, 0, 0, 0, time.UTC)
			p.spend("1", noon)
			if told := len(p.liveNotifications()) > before; told != want {
				p.t.Errorf("at %d:00 UTC: told is %v", hour, told)
			}
		}
		if p.unread() != 5 {
			p.t.Errorf("%d unread", p.unread())
		}
	})
}

// Alerts that are not sent do not delay the next one.
func TestBudgetAlertsOnceADay(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{}, func(p *budgetFixture) {
		p.setPreferences(func(n *models.NotificationPreferences) { n.Frequency.BudgetAlerts = "daily" })
		for i, want := range []int{1, 1, 2, 2} {
			p.now = noon.Add(time.Duration(i) * 13 * time.Hour)
			p.createBudget(func(d *models.BudgetDraft) { d.Category = models.AllCategories })
			p.spend("200", p.now)
			if got := len(p.alerts()); got != want {
				p.t.Errorf("after %d hours: %d alerts, want %d", i*13, got, want)
			}
		}
		if p.unread() != 4 {
			p.t.Errorf("%d unread", p.unread())
		}
	})
}
