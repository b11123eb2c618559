package wire

import (
	"encoding/json"
	"time"

	"expenseflow/models"
)

// A Dashboard is the response to GET /api/dashboard and the payload of dashboard:update.
// From and To are its first and last day.
type Dashboard struct {
	From        Day             `json:"from"`
	To          Day             `json:"to"`
	Version     int64           `json:"version"`
	Currency    string          `json:"currency"` // of all figures but those in ByCurrency
	Totals      DashboardTotals `json:"totals"`
	ByCurrency  []CurrencyTotal `json:"byCurrency"` // of the other currencies
	ByCategory  []CategoryTotal `json:"byCategory"`
	Series      []DayTotal      `json:"series"` // days with entries only
	Recent      []Expense       `json:"recent"`
	GeneratedAt Time            `json:"generatedAt"`
}

// DashboardTotals are the totals of all entries of a dashboard.
type DashboardTotals struct {
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
	Balance Total `json:"balance"`
	Count   int64 `json:"count"`
}

// A CategoryTotal is the total of the expenses of one category; Percentage is its share
// of all expenses.
type CategoryTotal struct {
	Category   string  `json:"category"`
	Total      Total   `json:"total"`
	Count      int64   `json:"count"`
	Percentage float64 `json:"percentage"`
}

// A DayTotal is the income and the expenses of one day.
type DayTotal struct {
	Date    Day   `json:"date"`
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
}

// NewDashboard returns the document of d. Other currencies are converted by rates.
func NewDashboard(d models.Dashboard, rates *models.Rates) Dashboard {
	doc := Dashboard{
		From: Day(d.From), To: Day(d.To), Version: d.Version, GeneratedAt: Time(d.GeneratedAt),
		Currency: d.Currency, ByCurrency: currencyTotals(d.Others, d.Currency, rates),
		Totals:     DashboardTotals{Total(d.Income), Total(d.Expense), Total(d.Balance()), d.Count},
		ByCategory: make([]CategoryTotal, len(d.ByCategory)),
		Series:     make([]DayTotal, len(d.Series)),
		Recent:     make([]Expense, len(d.Recent)),
	}
	for i, c := range d.ByCategory {
		doc.ByCategory[i] = CategoryTotal{c.Category, Total(c.Total), c.Count, percentage(c.Total, d.Expense)}
	}
	for i, day := range d.Series {
		doc.Series[i] = DayTotal{Day(day.Day), Total(day.Income), Total(day.Expense)}
	}
	for i, e := range d.Recent {
		doc.Recent[i] = Expense(e)
	}
	return doc
}

// ParseDays parses the parameters from and to of GET /api/dashboard, both included: days,
// or times whose day in the account's zone is meant. "" is the zero DayRef, which means
// the dashboard's default. The error is models.Invalid.
func ParseDays(from, to string) (first, last models.DayRef, err error) {
	first, okFirst := dayRef(parseDate(from))
	last, okLast := dayRef(parseDate(to))
	return first, last, checkDays(first, okFirst || from == "", last, okLast || to == "")
}

// ParseDashboardSubscribe parses the argument of dashboard:subscribe: null or an object
// {from?, to?}, whose values are as for ParseDays; null and "" count as absent. The
// error is models.Invalid.
func ParseDashboardSubscribe(arg json.RawMessage) (first, last models.DayRef, err error) {
	if typeOf(arg) == null {
		return first, last, nil
	}
	o, err := readObject(arg)
	if err != nil {
		return first, last, err
	}
	first, okFirst := dayRef(readDate(o["from"]))
	last, okLast := dayRef(readDate(o["to"]))
	return first, last, checkDays(first, okFirst || isUnset(o["from"]), last, okLast || isUnset(o["to"]))
}

// dayRef returns the reference to a parsed date. The zero time would be no reference, so
// it is moved by a millisecond, which is on the same day in every zone.
func dayRef(at time.Time, day *models.Day, ok bool) (models.DayRef, bool) {
	switch {
	case !ok || !isValidDate(at):
		return models.DayRef{}, false
	case day != nil:
		return models.DayRefOf(*day), true
	case at.IsZero():
		at = at.Add(time.Millisecond)
	}
	return models.DayRef{At: at}, true
}

func isUnset(raw json.RawMessage) bool { return raw == nil || isNullOrEmpty(raw) }

// checkDays checks that both days are valid and, if both are written as days, in order.
// The order of times is checked later, when the account's zone is known.
func checkDays(from models.DayRef, okFrom bool, to models.DayRef, okTo bool) error {
	switch {
	case !okFrom:
		return invalid(`"from" must be a valid date`)
	case !okTo:
		return invalid(`"to" must be a valid date`)
	case from.IsDay && to.IsDay && to.Day < from.Day:
		return invalid(`"to" must be greater than or equal to "from"`)
	}
	return nil
}

// isValidDate reports whether an expense may have this date.
func isValidDate(t time.Time) bool { return len(models.Patch{Date: &t}.Check()) == 0 }
