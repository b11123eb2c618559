package demo

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"expenseflow/models"
)

const (
	yearDays = 365
	aheadFor = 7 // days for which what comes every month is entered before its day

	tripBegan = 200 // days ago
	tripDays  = 9
	tripMoney = "JPY"
)

// Year returns what somebody entered in the year that ends today, and some entries of the
// coming weeks, by day. The same seed and day give the same entries.
func Year(seed uint64, today models.Day) []models.Draft {
	d := &diary{dice: rand.New(rand.NewPCG(seed, seed)), today: today}
	for day := today - yearDays; day <= today+aheadFor; day++ {
		d.monthly(day)
	}
	for i := range habits {
		d.habit(&habits[i])
	}
	for i := range trip {
		d.add(today-tripBegan, &trip[i])
	}
	for i := range single {
		d.add(today, &single[i])
	}
	slices.SortStableFunc(d.drafts, func(a, b models.Draft) int { return cmp.Compare(*a.Day, *b.Day) })
	return d.drafts
}

// A diary collects entries.
type diary struct {
	dice   *rand.Rand
	today  models.Day
	drafts []models.Draft
}

// away reports whether the day is one of the trip, on which nothing is bought at home.
func (d *diary) away(day models.Day) bool {
	return day >= d.today-tripBegan && day < d.today-tripBegan+tripDays
}

// monthly adds what is due on this day of each month.
func (d *diary) monthly(day models.Day) {
	_, _, ofMonth := day.Date()
	for i := range regular {
		if regular[i].day == ofMonth {
			d.add(day-models.Day(ofMonth), &regular[i])
		}
	}
}

// habit adds what somebody buys again and again, until yesterday.
func (d *diary) habit(h *habit) {
	for day := d.today - yearDays + d.pause(h); day < d.today; day += d.pause(h) {
		if d.away(day) {
			continue
		}
		bought := h.choices[d.dice.IntN(len(h.choices))]
		bought.day, bought.category, bought.income = 0, h.category, h.income
		d.add(day, &bought)
	}
}

func (d *diary) pause(h *habit) models.Day {
	return models.Day(h.every[0] + d.dice.IntN(h.every[1]-h.every[0]+1))
}

// add adds an entry that many days after from.
func (d *diary) add(from models.Day, e *entry) {
	day := from + models.Day(e.day)
	draft := models.Draft{
		Description: e.text, Merchant: e.merchant, Category: e.category, Notes: e.notes, Currency: cmp.Or(e.currency, currency),
		Tags: e.tags, Type: "expense", Day: &day, Amount: d.amount(e),
	}
	if e.income {
		draft.Type = "income"
	}
	d.drafts = append(d.drafts, draft)
}

const hundredth = models.MinAmount

// amount returns a price between those of e, that looks like one.
func (d *diary) amount(e *entry) models.Money {
	cents := e.from
	if e.to > e.from {
		cents += d.dice.IntN(e.to - e.from)
		cents -= cents % 5
	}
	return models.Money(cents) * hundredth
}
