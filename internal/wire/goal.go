package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// A Goal is the document of a goal.
type Goal struct {
	ID            string      `json:"_id"`
	User          string      `json:"user"`
	Title         string      `json:"title"`
	Description   string      `json:"description,omitempty"`
	TargetAmount  Amount      `json:"targetAmount"`
	CurrentAmount Amount      `json:"currentAmount"`
	GoalType      string      `json:"goalType"`
	Category      string      `json:"category"`
	TargetDate    Time        `json:"targetDate"`
	Priority      string      `json:"priority"`
	Status        string      `json:"status"`
	Reminder      string      `json:"reminderFrequency"`
	Milestones    []Milestone `json:"milestones"`
	CreatedAt     Time        `json:"createdAt"`
	UpdatedAt     Time        `json:"updatedAt"`
	V             int         `json:"__v"`
	Version       int64       `json:"version"`
}

// A Milestone is a milestone in the document of a goal.
type Milestone struct {
	ID           string `json:"_id"`
	Amount       Amount `json:"amount"`
	Date         Time   `json:"date"`
	Achieved     bool   `json:"achieved"`
	AchievedDate *Time  `json:"achievedDate,omitempty"`
}

// NewGoal returns the document of g.
func NewGoal(g models.Goal) Goal {
	milestones := make([]Milestone, len(g.Milestones))
	for i, m := range g.Milestones {
		milestones[i] = Milestone{m.ID, Amount(m.Amount), Time(m.Date), !m.AchievedAt.IsZero(), nullableTime(m.AchievedAt)}
	}
	return Goal{
		ID: g.ID, User: g.UserID, Title: g.Title, Description: g.Description,
		TargetAmount: Amount(g.Target), CurrentAmount: Amount(g.Current), GoalType: g.Type, Category: g.Category,
		TargetDate: Time(g.TargetDate), Priority: g.Priority, Status: g.Status, Reminder: g.Reminder, Milestones: milestones,
		CreatedAt: Time(g.CreatedAt), UpdatedAt: Time(g.UpdatedAt), Version: g.Version,
	}
}

// A GoalSummary is the response to GET /api/goals/summary. OverallProgress is the
// percentage of all targets reached, of goals of any status.
type GoalSummary struct {
	Total              int     `json:"total"`
	Active             int     `json:"active"`
	Completed          int     `json:"completed"`
	Overdue            int     `json:"overdue"`
	TotalTargetAmount  Total   `json:"totalTargetAmount"`
	TotalCurrentAmount Total   `json:"totalCurrentAmount"`
	OverallProgress    float64 `json:"overallProgress"`
}

// NewGoalSummary returns the summary of goals. today decides which are overdue.
func NewGoalSummary(goals []models.Goal, today models.Day) GoalSummary {
	s := GoalSummary{Total: len(goals)}
	var target, current models.Sum
	for i := range goals {
		g := &goals[i]
		target, current = target.Add(g.Target), current.Add(g.Current)
		switch {
		case g.Status == models.GoalCompleted:
			s.Completed++
		case g.Status == models.GoalActive:
			s.Active++
		}
		if g.Overdue(today) {
			s.Overdue++
		}
	}
	s.TotalTargetAmount, s.TotalCurrentAmount, s.OverallProgress = Total(target), Total(current), percentage(current, target)
	return s
}

// goalFields lists the fields of a goal in the order in which violations are reported.
var goalFields = []string{
	"title", "description", "targetAmount", "currentAmount", "goalType", "category", "targetDate", "priority",
	"status", "reminderFrequency", "milestones", "deviceId", "version",
}

// goalRequired lists the required fields.
var goalRequired = []string{"title", "targetAmount", "goalType", "targetDate"}

func isGoalKey(key string) bool {
	return key == "_id" || key == "id" || key == "clientId" || slices.Contains(goalFields, key) || slices.Contains(ignoredKeys, key)
}

// ParseGoal parses and validates the body of POST /api/goals and PUT /api/goals/:id.
// Both need the fields of a new goal; optional fields that are absent are nil. The error
// is models.Invalid with Joi's message for the first violation.
func ParseGoal(body json.RawMessage) (models.GoalPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.GoalPatch{}, Meta{}, err
	}
	r := &fieldReader{object: o, required: goalRequired}
	p := r.goal()
	m, more := readMeta(o)
	if err := goalError(append(r.violationsWith(p.Goal().Check()), more...)); err != nil {
		return models.GoalPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, isGoalKey)
}

func (r *fieldReader) goal() models.GoalPatch {
	p := models.GoalPatch{
		Title: r.text("title"), Description: r.nullableText("description"),
		Target: r.money("targetAmount"), Current: r.money("currentAmount"),
		Type: r.text("goalType"), Category: r.text("category"), Priority: r.text("priority"),
		Status: r.text("status"), Reminder: r.text("reminderFrequency"),
		Milestones: r.milestones(),
	}
	p.TargetDate = r.requiredDate("targetDate")
	return p
}

// requiredDate returns a date that cannot be null or "".
func (r *fieldReader) requiredDate(field string) *time.Time {
	if isNullOrEmpty(r.object[field]) {
		r.addViolation(field, models.RuleDate)
		return nil
	}
	t, _ := r.date(field)
	return t
}

// nullableText returns a string that may be null, which counts as "".
func (r *fieldReader) nullableText(field string) *string {
	if typeOf(r.object[field]) == null {
		return new(string)
	}
	return r.text(field)
}

// milestones parses [{amount, date}...] and ignores the keys that the server computes.
func (r *fieldReader) milestones() *[]models.Milestone {
	const field = "milestones"
	if r.isAbsent(field) {
		return nil
	}
	if typeOf(r.object[field]) != array {
		r.addViolation(field, models.RuleType)
		return nil
	}
	list := []models.Milestone{}
	for raw := range rawjson.Elements(r.object[field]) {
		if len(list) > models.MaxMilestones {
			break // enough to be refused
		}
		list = append(list, r.milestone(elementLabel(field, len(list)), raw))
	}
	return &list
}

var milestoneKeys = []string{"amount", "date", "_id", "id", "achieved", "achievedDate"}

func (r *fieldReader) milestone(label string, raw json.RawMessage) (m models.Milestone) {
	if typeOf(raw) != objectType {
		r.violations = append(r.violations, models.Violation{Field: label, Rule: models.RuleType})
		return m
	}
	in := &fieldReader{object: split(raw), required: milestoneKeys[:2]}
	m.Amount, m.Date = value(in.money("amount")), value(in.requiredDate("date"))
	if key, unknown := firstUnknown(raw, func(k string) bool { return slices.Contains(milestoneKeys, k) }); unknown {
		in.violations = append(in.violations, models.Violation{Field: key, Rule: models.RuleUnknownKey})
	}
	for _, v := range in.violations {
		v.Field = label + "." + v.Field
		r.violations = append(r.violations, v)
	}
	return m
}

// goalError returns the error of the first violation in the order of goalFields.
func goalError(vs []models.Violation) error {
	for _, field := range goalFields {
		for _, v := range vs {
			if v.Field == field || strings.HasPrefix(v.Field, field+"[") {
				return invalid(quote(v.Field) + " " + goalPredicate(v))
			}
		}
	}
	return nil
}

// goalLists are the values that error texts list.
var goalLists = map[string][]string{
	"goalType": models.GoalTypes, "priority": models.GoalPriorities, "status": models.GoalStatuses,
	"reminderFrequency": models.GoalReminders,
	"category":          append(slices.Clone(models.Categories[:models.NamedCategories]), "general"),
}

func goalPredicate(v models.Violation) string {
	if list, ok := goalLists[v.Field]; ok && (v.Rule == models.RuleOneOf || v.Rule == models.RuleType) {
		return mustBeOneOf(list)
	}
	switch {
	case v.Rule != models.RuleType:
	case v.Field == "milestones":
		return "must be an array"
	case strings.HasSuffix(v.Field, "]"):
		return "must be of type object"
	case strings.HasSuffix(v.Field, ".amount"):
		return "must be a number"
	}
	return joiPredicate(v)
}

// ParseProgress parses {amount}, the body of PATCH /api/goals/:id/progress: a number
// other than zero, which may be negative. The error is models.Invalid with the
// original's message.
func ParseProgress(body json.RawMessage) (models.Money, error) {
	o, err := readObject(body)
	if err != nil {
		return 0, err
	}
	amount, rule := readAmount(o["amount"])
	if typeOf(o["amount"]) != number || rule != "" || amount == 0 {
		return 0, invalid("Valid amount is required")
	}
	return amount, nil
}

// ParseGoalStatus parses {status}, the body of PATCH /api/goals/:id/status. The error is
// models.Invalid with the original's message.
func ParseGoalStatus(body json.RawMessage) (string, error) {
	o, err := readObject(body)
	if err != nil {
		return "", err
	}
	status := stringOf(o["status"])
	if !slices.Contains(models.GoalStatuses, status) {
		return "", invalid("Invalid status")
	}
	return status, nil
}

// A GoalFilter is the query of GET /api/goals; "" is any.
type GoalFilter struct{ Status, Type string }

// ParseGoalFilter parses the parameters status and type. The error is models.Invalid.
func ParseGoalFilter(status, goalType string) (GoalFilter, error) {
	switch {
	case status != "" && !slices.Contains(models.GoalStatuses, status):
		return GoalFilter{}, invalid(`"status" ` + mustBeOneOf(models.GoalStatuses))
	case goalType != "" && !slices.Contains(models.GoalTypes, goalType):
		return GoalFilter{}, invalid(`"type" ` + mustBeOneOf(models.GoalTypes))
	}
	return GoalFilter{status, goalType}, nil
}

// Matches reports whether g passes the filter.
func (f GoalFilter) Matches(g models.Goal) bool {
	return (f.Status == "" || f.Status == g.Status) && (f.Type == "" || f.Type == g.Type)
}
