package wire

import (
	"encoding/json"
	"slices"
	"time"

	"expenseflow/models"
)

// budgetFields lists the fields of a budget in the order in which violations are reported.
var budgetFields = []string{
	"name", "category", "amount", "period", "startDate", "endDate", "alertThreshold", "deviceId", "version",
}

// budgetRequired lists the required fields.
var budgetRequired = []string{"name", "category", "amount"}

// computedBudgetKeys lists the keys of a budget's document that the server computes. They are
// accepted and ignored, because pages send back the document that they received.
var computedBudgetKeys = []string{
	"isActive", "currency", "byCurrency", "spent", "remaining", "percentage", "isOverBudget", "level",
	"periodStart", "periodEnd", "lastCalculated",
}

func isBudgetKey(key string) bool {
	return key == "_id" || key == "id" ||
		slices.Contains(budgetFields, key) || slices.Contains(computedBudgetKeys, key) || slices.Contains(ignoredKeys, key)
}

// ParseBudgetDraft parses and validates the body of POST /api/budgets. The error is
// models.Invalid with Joi's message for the first violation.
func ParseBudgetDraft(body json.RawMessage) (models.BudgetDraft, Meta, error) {
	p, m, err := ParseBudget(body)
	d := models.BudgetDraft{
		Name: value(p.Name), Category: value(p.Category), Amount: value(p.Amount), Period: value(p.Period),
		Start: value(p.Start), End: value(p.End), StartDay: p.StartDay, EndDay: p.EndDay, Threshold: p.Threshold,
	}
	return d, m, err
}

// ParseBudget parses and validates the body of PUT /api/budgets/:id. It needs the fields
// of a new budget; optional fields that are absent keep their value, and null or ""
// removes a date. Errors are as for ParseBudgetDraft.
func ParseBudget(body json.RawMessage) (models.BudgetPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.BudgetPatch{}, Meta{}, err
	}
	r := &fieldReader{object: o, required: budgetRequired}
	p := r.budget()
	m, more := readMeta(o)
	if err := budgetError(append(r.violationsWith(checkBudgetPatch(p)), more...)); err != nil {
		return models.BudgetPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, isBudgetKey)
}

// A fieldReader reads typed fields of an object and collects violations.
type fieldReader struct {
	object
	required   []string // fields that must be present
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

// checkBudgetPatch returns the rules that a patch breaks. The order of two dates is checked
// only if both are days; otherwise the ledger does, which knows the account's zone.
func checkBudgetPatch(p models.BudgetPatch) []models.Violation {
	b := models.Budget{Period: models.Monthly, Threshold: models.DefaultThreshold}
	p.Apply(&b, time.UTC)
	days := p.StartDay != nil && p.EndDay != nil
	return slices.DeleteFunc(b.Check(), func(v models.Violation) bool { return v.Rule == models.RuleOrder && !days })
}

// violationsWith returns the violations found while reading, and those of broken that are about
// fields which could be read.
func (r *fieldReader) violationsWith(broken []models.Violation) []models.Violation {
	broken = slices.DeleteFunc(broken, func(v models.Violation) bool { return r.hasViolation(v.Field) })
	return append(r.violations, broken...)
}

func (r *fieldReader) hasViolation(field string) bool {
	return slices.ContainsFunc(r.violations, func(v models.Violation) bool { return v.Field == field })
}

func (r *fieldReader) addViolation(field string, rule models.Rule) {
	r.violations = append(r.violations, models.Violation{Field: field, Rule: rule, Value: string(r.object[field])})
}

// isAbsent reports whether the field is missing. If it is required, that is a violation.
func (r *fieldReader) isAbsent(field string) bool {
	if r.object[field] != nil {
		return false
	}
	if slices.Contains(r.required, field) {
		r.addViolation(field, models.RuleRequired)
	}
	return true
}

func (r *fieldReader) text(field string) *string {
	if r.isAbsent(field) {
		return nil
	}
	if typeOf(r.object[field]) != text {
		r.addViolation(field, models.RuleType)
		return nil
	}
	s := stringOf(r.object[field])
	return &s
}

func (r *fieldReader) money(field string) *models.Money {
	if r.isAbsent(field) {
		return nil
	}
	m, rule := readAmount(r.object[field])
	if rule != "" {
		r.addViolation(field, rule)
		return nil
	}
	return &m
}

// date returns the time of a field and, if it is written as a day, that day.
func (r *fieldReader) date(field string) (*time.Time, *models.Day) {
	if r.isAbsent(field) {
		return nil, nil
	}
	t, day, ok := readDate(r.object[field])
	if !ok && !isNullOrEmpty(r.object[field]) {
		r.addViolation(field, models.RuleDate)
		return nil, nil
	}
	return &t, day
}

// percent returns a whole number, clamped just outside the allowed range so that it
// fits an int and stays invalid.
func (r *fieldReader) percent(field string) *int {
	if r.isAbsent(field) {
		return nil
	}
	n, ok := readInt(r.object[field])
	if !ok {
		r.addViolation(field, models.RuleType)
		return nil
	}
	percent := int(min(max(n, models.MinThreshold-1), models.MaxThreshold+1))
	return &percent
}

// budgetError returns the error of the first violation in the order of budgetFields.
func budgetError(vs []models.Violation) error {
	for _, field := range budgetFields {
		for _, v := range vs {
			if v.Field == field {
				return invalid(quote(field) + " " + budgetPredicate(v))
			}
		}
	}
	return nil
}

// budgetPredicate returns the message of a violation. It differs from an expense's only
// in the listed categories and periods.
func budgetPredicate(v models.Violation) string {
	unlisted := v.Rule == models.RuleOneOf || v.Rule == models.RuleType
	switch {
	case v.Field == "category" && unlisted:
		return mustBeOneOf(models.BudgetCategories)
	case v.Field == "period" && unlisted:
		return mustBeOneOf(models.Periods)
	}
	return joiPredicate(v)
}

// A BudgetFilter is the query of GET /api/budgets and of its summary.
type BudgetFilter struct {
	Period models.Period // "": any
	Active *bool         // nil: any
}

// ParseBudgetFilter parses the parameters period and active; "" is any. The error is
// models.Invalid.
func ParseBudgetFilter(period, active string) (BudgetFilter, error) {
	f := BudgetFilter{Period: models.Period(period)}
	if period != "" && !slices.Contains(models.Periods, period) {
		return BudgetFilter{}, invalid(`"period" ` + mustBeOneOf(models.Periods))
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

// Matches reports whether s passes the filter.
func (f BudgetFilter) Matches(s models.BudgetReport) bool {
	return (f.Period == "" || f.Period == s.Budget.Period) && (f.Active == nil || *f.Active == s.Active)
}
