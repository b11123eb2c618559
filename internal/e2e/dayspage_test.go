package e2e

import (
	"testing"
	"time"
)

const (
	losAngeles = "America/Los_Angeles"
	auckland   = "Pacific/Auckland"
)

// Parts of the page that name days.
const (
	dayTitlesPart = ".day h3 > span:first-child"
	summaryPart   = ".summary dt, .summary dd"
)

// in is a browser of a time zone.
func in(zone string) look { return look{"timezoneId": zone} }

// at opens the page in a time zone with its clock standing at a moment.
func (b *browser) at(t *testing.T, p *program, zone, moment string) *window {
	t.Helper()
	return b.window(t, map[string]any{"url": p.url(), "options": in(zone), "now": moment})
}

// One moment is two days: in Los Angeles the last of a month, the day on which
// clocks go forward, and 29 February; in Auckland the day after.
var twoDays = []struct {
	name, moment     string
	west, east       string // the day, in each account's zone
	westMonth, month string
}{
	{"end of a month", "2026-04-01T05:30:00Z", "2026-03-31", "2026-04-01", "March", "April"},
	{"clocks go forward in Los Angeles", "2026-03-09T06:30:00Z", "2026-03-08", "2026-03-09", "March", "March"},
	{"clocks go back in Auckland", "2026-04-05T06:30:00Z", "2026-04-04", "2026-04-05", "April", "April"},
	{"29 February", "2024-03-01T07:30:00Z", "2024-02-29", "2024-03-01", "February", "March"},
}

// The list, its totals and the overview count the account's days, in which zone
// ever it is looked at.
func TestPageCountsTheAccountsDaysInEveryZone(t *testing.T) {
	p, b := sqlite(t), startBrowser(t)
	for _, c := range twoDays {
		t.Run(c.name, func(t *testing.T) {
			west, east := newPerson(), newPerson()
			home, away := b.at(t, p, losAngeles, c.moment), b.at(t, p, auckland, c.moment)
			home.register(t, west)
			away.signIn(t, west)
			home.add(t, "Lunch", "12.50")
			for _, w := range []*window{home, away} {
				w.agrees(t, c.westMonth)
			}
			same(t, "day", []string{c.west}, west.account(t, p).days(t))

			other := b.at(t, p, auckland, c.moment)
			other.register(t, east)
			other.add(t, "Lunch", "12.50")
			other.agrees(t, c.month)
			same(t, "day", []string{c.east}, east.account(t, p).days(t))
		})
	}
}

// agrees waits until all parts of the page have one entry of 12.50 on this day.
func (w *window) agrees(t *testing.T, month string) {
	t.Helper()
	w.awaitRows(t, "Lunch −12.50")
	w.awaitParts(t, dayTitlesPart, "Today")
	w.awaitParts(t, summaryPart, "Income, "+month, "0.00", "Spent, "+month, "12.50")
	w.follow(t, "Overview")
	w.awaitParts(t, legendPart, "Income 0.00", "Spent 12.50")
}

// days returns the days of the account's expenses.
func (a *account) days(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, e := range a.expenses(t) {
		out = append(out, e.Day)
	}
	return out
}

// The account's time zone is found and chosen by the keyboard, and every device counts its days at once.
func TestPageChangesTheAccountsTimeZone(t *testing.T) {
	p, b, who, moment := sqlite(t), startBrowser(t), newPerson(), twoDays[0].moment
	one, other := b.at(t, p, losAngeles, moment), b.at(t, p, losAngeles, moment)
	one.register(t, who)
	other.signIn(t, who)
	one.add(t, "Lunch", "12.50")
	other.awaitParts(t, dayTitlesPart, "Today")

	one.press(t, "Your account")
	one.checkAccess(t, "the account's settings")
	one.tabTo(t, "Time zone")
	one.keys(t, "Control+a")
	one.types(t, "Nowhere/At all")
	one.keys(t, "Enter")
	one.awaitText(t, "TimeZone must be a time zone such as") // the label is "Time zone"
	one.keys(t, "Control+a")
	one.types(t, auckland)
	one.keys(t, "Enter")
	for _, w := range []*window{one, other} {
		w.awaitText(t, "There are no entries in April 2026.")
	}
	other.press(t, "Show March 2026")
	other.awaitParts(t, dayTitlesPart, "Yesterday")
	same(t, "days", []string{"2026-03-31"}, who.account(t, p).days(t))
}

// Budgets and alerts count the same days as the list: not the last of the month
// before, of the account's zone, but the first of this one.
func TestPageBudgetsCountTheDaysOfTheList(t *testing.T) {
	p, b, who := sqlite(t), startBrowser(t), newPerson()
	home, away := b.open(t, p.url(), in(losAngeles)), b.open(t, p.url(), in(auckland))
	home.register(t, who)
	away.signIn(t, who)
	home.follow(t, "Overview")
	away.follow(t, "Overview")
	home.addBudget(t, "Food", "Food", "100")
	first := firstOfMonth(t, losAngeles)

	away.addOn(t, "Before", "50", first.AddDate(0, 0, -1))
	for _, w := range []*window{home, away} {
		w.awaitParts(t, standingPart, "On track 100.00 left")
		w.awaitParts(t, balancePart, "Balance −50.00")
		w.awaitParts(t, legendPart) // nothing in this month
	}
	away.addOn(t, "Lunch", "90", first)
	for _, w := range []*window{home, away} {
		w.awaitParts(t, standingPart, "Nearly used up 10.00 left")
		w.awaitParts(t, legendPart, "Income 0.00", "Spent 90.00")
		w.awaitButton(t, "Notifications, 1 unread")
	}
	who.account(t, p).spend(t, "food", 20) // at this moment, whose day is the account's
	for _, w := range []*window{home, away} {
		w.awaitParts(t, standingPart, "Over budget by 10.00")
		w.awaitParts(t, balancePart, "Balance −160.00")
		w.follow(t, "Entries")
		w.awaitParts(t, summaryPart, "Income, "+first.Month().String(), "0.00", "Spent, "+first.Month().String(), "110.00")
	}
}

func firstOfMonth(t *testing.T, zone string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	y, m, _ := time.Now().In(loc).Date()
	return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
}

// addOn fills in the form beside the list for a day.
func (w *window) addOn(t *testing.T, description, amount string, day time.Time) {
	t.Helper()
	w.fill(t, "Date", day.Format(time.DateOnly))
	w.add(t, description, amount)
}
