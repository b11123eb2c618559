package wire

import (
	"encoding/json"
	"slices"
	"time"

	"expenseflow/models"
)

// budgetFields are the fields of a budget in the order in which faults are named.
var budgetFields = []string{"name", "category", "amount", "period", "startDate", "endDate", "alertThreshold", "deviceId", "version"}

// budgetRequired are those that a body must have.
var budgetRequired = []string{"name", "category", "amount"}

// computed are the keys of a budget's document that the server fills in: a page
// may send back what it was given.
var computed = []string{
	"isActive", "currency", "byCurrency", "spent", "remaining", "percentage", "isOverBudget", "level", "periodStart", "periodEnd", "lastCalculated",
}

func budgetKey(key string) bool {
	return key == "_id" || key == "id" || slices.Contains(budgetFields, key) || slices.Contains(computed, key) || slices.Contains(ignored, key)
}

// ParseBudgetDraft reads the body of POST /api/budgets, checked. Errors are
// models.Invalid in Joi's words, about the first fault.
func ParseBudgetDraft(body json.RawMessage) (models.BudgetDraft, Meta, error) {
	p, m, err := ParseBudget(body)
	d := models.BudgetDraft{
		Name: value(p.Name), Category: value(p.Category), Amount: value(p.Amount), Period: value(p.Period),
		Start: value(p.Start), End: value(p.End), StartDay: p.StartDay, EndDay: p.EndDay, Threshold: p.Threshold,
	}
	return d, m, err
}

// ParseBudget reads the body of PUT /api/budgets/:id: everything that a new
// budget needs. Of what it may omit the stored value stays; a date that is null
// or "" opens that end. Errors are ParseBudgetDraft's.
func ParseBudget(body json.RawMessage) (models.BudgetPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.BudgetPatch{}, Meta{}, err
	}
	r := &fieldReader{object: o, required: budgetRequired}
	p := r.budget()
	m, more := readMeta(o)
	if err := budgetError(append(r.all(brokenBudget(p)), more...)); err != nil {
		return models.BudgetPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, budgetKey)
}

// A fieldReader takes fields out of an object and notes what is wrong with them.
type fieldReader struct {
	object
	required   []string // the fields that must be there
	violations []models.Violation
}

func (r *fieldReader) budget() models.BudgetPatch {
	p := models.BudgetPatch{
		Name: r.text("name"), Category: r.text("category"), Amount: r.money("amount"),
		Threshold: r.percent("alertThreshold"),
	}
	p.Start, p.StartDay = r.date("startDate")
	p.End, p.EndDay = r.date("endDate")
	if period := r.text("period"); period != nil {
		p.Period = (*models.Period)(period)
	}
	return p
}

// brokenBudget gives the rules that a patch breaks. Moments are compared where the
// account's zone is known, by the ledger.
func brokenBudget(p models.BudgetPatch) []models.Violation {
	b := models.Budget{Period: models.Monthly, Threshold: models.DefaultThreshold}
	p.Apply(&b, time.UTC)
	days := p.StartDay != nil && p.EndDay != nil
	return slices.DeleteFunc(b.Check(), func(v models.Violation) bool { return v.Rule == models.RuleOrder && !days })
}

// all gives what is wrong with the fields: what could not be read, and the broken
// rules of those that could.
func (r *fieldReader) all(broken []models.Violation) []models.Violation {
	broken = slices.DeleteFunc(broken, func(v models.Violation) bool { return r.noted(v.Field) })
	return append(r.violations, broken...)
}

func (r *fieldReader) noted(field string) bool {
	return slices.ContainsFunc(r.violations, func(v models.Violation) bool { return v.Field == field })
}

func (r *fieldReader) note(field string, rule models.Rule) {
	r.violations = append(r.violations, models.Violation{Field: field, Rule: rule, Value: string(r.object[field])})
}

// absent tells whether the field is not there, and notes it if it must be.
func (r *fieldReader) absent(field string) bool {
	if r.object[field] != nil {
		return false
	}
	if slices.Contains(r.required, field) {
		r.note(field, models.RuleRequired)
	}
	return true
}

func (r *fieldReader) text(field string) *string {
	if r.absent(field) {
		return nil
	}
	if typeOf(r.object[field]) != text {
		r.note(field, models.RuleType)
		return nil
	}
	s := str(r.object[field])
	return &s
}

func (r *fieldReader) money(field string) *models.Money {
	if r.absent(field) {
		return nil
	}
	m, rule := readAmount(r.object[field])
	if rule != "" {
		r.note(field, rule)
		return nil
	}
	return &m
}

// date reads a moment, and the day that it names itself.
func (r *fieldReader) date(field string) (*time.Time, *models.Day) {
	if r.absent(field) {
		return nil, nil
	}
	t, day, ok := readDate(r.object[field])
	if !ok && !nothing(r.object[field]) {
		r.note(field, models.RuleDate)
		return nil, nil
	}
	return &t, day
}

// percent reads a whole number. One that is far from any percentage stays so,
// whatever an int can hold.
func (r *fieldReader) percent(field string) *int {
	if r.absent(field) {
		return nil
	}
	n, ok := readInt(r.object[field])
	if !ok {
		r.note(field, models.RuleType)
		return nil
	}
	percent := int(min(max(n, models.MinThreshold-1), models.MaxThreshold+1))
	return &percent
}

// budgetError gives the first fault in the words that it has for a budget.
func budgetError(vs []models.Violation) error {
	for _, field := range budgetFields {
		for _, v := range vs {
			if v.Field == field {
				return invalid(quoted(field) + " " + budgetPredicate(v))
			}
		}
	}
	return nil
}

// budgetPredicate knows the categories of a budget; all else is as for an expense.
func budgetPredicate(v models.Violation) string {
	unlisted := v.Rule == models.RuleOneOf || v.Rule == models.RuleType
	switch {
	case v.Field == "category" && unlisted:
		return listed(models.BudgetCategories)
	case v.Field == "period" && unlisted:
		return listed(models.Periods)
	}
	return joiPredicate(v)
}

// A BudgetFilter is the query of GET /api/budgets and of its summary.
type BudgetFilter struct {
	Period models.Period // "": any
	Active *bool         // nil: any
}

// ParseBudgetFilter reads the parameters period and active; "" is any. Errors
// are models.Invalid.
func ParseBudgetFilter(period, active string) (BudgetFilter, error) {
	f := BudgetFilter{Period: models.Period(period)}
	if period != "" && !slices.Contains(models.Periods, period) {
		return BudgetFilter{}, invalid(`"period" ` + listed(models.Periods))
	}
	switch active {
	case "":
	case "true", "false":
		yes := active == "true"
		f.Active = &yes
	default:
		return BudgetFilter{}, invalid(`"active" must be a boolean`)
	}
	return f, nil
}

// Matches tells whether the filter lets s through.
func (f BudgetFilter) Matches(s models.BudgetReport) bool {
	return (f.Period == "" || f.Period == s.Budget.Period) && (f.Active == nil || *f.Active == s.Active)
}
