package original

import (
	"math"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

var errSwitchedOff = notNeeded("switched off there (isActive is false), which budgets here cannot be")

// budget maps a budget. What is spent is computed here.
func budget(d document, c *Collection) (ledger.Record, error) {
	b := &ledger.BudgetRecord{RecordMeta: d.meta(c)}
	for _, f := range d.fields {
		if err := budgetField(f, &b.Draft, c); err != nil {
			return ledger.Record{}, err
		}
	}
	return ledger.Record{Budget: b}, nil
}

func budgetField(f field, to *models.BudgetDraft, c *Collection) (err error) {
	switch f.name {
	case "name":
		to.Name, err = text(f.name, f.value)
	case "category":
		to.Category, err = text(f.name, f.value)
	case "amount":
		to.Amount, err = amount(f, c)
	case "period":
		var period string
		period, err = text(f.name, f.value)
		to.Period = models.Period(period)
	case "startDate":
		to.Start, err = date(f.name, f.value)
	case "endDate":
		to.End, err = date(f.name, f.value)
	case "alertThreshold":
		to.Threshold = threshold(f.value, c)
	case "isActive":
		if on, ok := f.value.BooleanOK(); ok && !on {
			err = errSwitchedOff
		}
	case "spent", "lastCalculated", "originalAmount", "intelligence": // derived
	default:
		c.unknownField(f)
	}
	return err
}

// threshold returns a percentage that budgets can have; nil for the default.
func threshold(v bson.RawValue, c *Collection) *int {
	f, ok := v.AsFloat64OK()
	if !ok || math.IsNaN(f) {
		return nil
	}
	percent := int(math.Round(min(max(f, models.MinThreshold), models.MaxThreshold)))
	if float64(percent) != f {
		c.note("an alertThreshold was changed to a whole number from 1 to 100")
	}
	return &percent
}

// goal maps a goal.
func goal(d document, c *Collection) (ledger.Record, error) {
	m := d.meta(c)
	g := models.GoalPatch{}.Goal()
	g.ID, g.Version, g.CreatedAt, g.UpdatedAt = m.ID, m.Version, m.CreatedAt, m.UpdatedAt
	var milestones bson.RawValue
	for _, f := range d.fields {
		if f.name == "milestones" {
			milestones = f.value // some need the goal's target
			continue
		}
		if err := goalField(f, &g, c); err != nil {
			return ledger.Record{}, err
		}
	}
	g.Title, g.Description = models.Trim(g.Title), models.Trim(g.Description)
	return ledger.Record{Goal: &g}, addMilestones(&g, milestones, c)
}

func goalField(f field, to *models.Goal, c *Collection) (err error) {
	switch f.name {
	case "title":
		to.Title, err = text(f.name, f.value)
	case "description":
		to.Description, err = text(f.name, f.value)
	case "targetAmount":
		to.Target, err = amount(f, c)
	case "currentAmount":
		to.Current, err = amount(f, c)
	case "goalType":
		err = choice(f, &to.Type, models.GoalTypes, map[string]string{"emergency_fund": "savings"}, c)
	case "category":
		err = choice(f, &to.Category, models.GoalCategories, map[string]string{"car": "general", "house": "general"}, c)
	case "priority":
		err = choice(f, &to.Priority, models.GoalPriorities, map[string]string{"critical": "high"}, c)
	case "status":
		err = choice(f, &to.Status, models.GoalStatuses, nil, c)
	case "reminderFrequency":
		err = choice(f, &to.Reminder, models.GoalReminders, nil, c)
	case "targetDate":
		to.TargetDate, err = date(f.name, f.value)
	case "isActive": // status says it
	default:
		c.unknownField(f)
	}
	return err
}

// choice maps a text that is one of some; instead has what later revisions of the original
// added, and what it becomes here.
func choice(f field, to *string, known []string, instead map[string]string, c *Collection) error {
	s, err := text(f.name, f.value)
	if err != nil || s == "" {
		return err
	}
	if other, has := instead[s]; has && !slices.Contains(known, s) {
		c.note("a " + f.name + " " + s + ", which is not here, became " + other)
		s = other
	}
	*to = s
	return nil
}

// addMilestones maps the milestones, which some revisions keep as a percentage of the target.
func addMilestones(g *models.Goal, v bson.RawValue, c *Collection) error {
	return eachIn(v, func(v bson.RawValue) error {
		doc, _ := v.DocumentOK()
		m := models.Milestone{}
		m.ID, _ = idText(doc.Lookup("_id"))
		m.Date, m.AchievedAt = g.TargetDate, time0(doc.Lookup("achievedDate"))
		if at, err := moment(doc.Lookup("date")); err == nil && !at.IsZero() {
			m.Date = at
		}
		if percent, ok := doc.Lookup("percentage").AsFloat64OK(); ok && !(percent < 0 || percent > 1000) && !math.IsNaN(percent) {
			m.Amount = models.Money(math.Round(float64(g.Target) * percent / 100))
			c.note("a milestone in percent of the target became an amount, due with the goal")
		} else if amount, _, err := money("milestones.amount", doc.Lookup("amount")); err != nil {
			return err
		} else {
			m.Amount = amount
		}
		g.Milestones = append(g.Milestones, m)
		return nil
	})
}
