package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"expenseflow/models"
)

// A Goal is a goal's document, in the original's shape.
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

// A Milestone is a part of a goal's document.
type Milestone struct {
	ID           string `json:"_id"`
	Amount       Amount `json:"amount"`
	Date         Time   `json:"date"`
	Achieved     bool   `json:"achieved"`
	AchievedDate *Time  `json:"achievedDate,omitempty"`
}

// NewGoal gives g's document.
func NewGoal(g models.Goal) Goal {
	milestones := make([]Milestone, len(g.Milestones))
	for i, m := range g.Milestones {
		milestones[i] = Milestone{m.ID, Amount(m.Amount), Time(m.Date), !m.AchievedAt.IsZero(), known(m.AchievedAt)}
	}
	return Goal{
		ID: g.ID, User: g.UserID, Title: g.Title, Description: g.Description,
		TargetAmount: Amount(g.Target), CurrentAmount: Amount(g.Current), GoalType: g.Type, Category: g.Category,
		TargetDate: Time(g.TargetDate), Priority: g.Priority, Status: g.Status, Reminder: g.Reminder, Milestones: milestones,
		CreatedAt: Time(g.CreatedAt), UpdatedAt: Time(g.UpdatedAt), Version: g.Version,
	}
}

// A GoalSummary is the answer to GET /api/goals/summary. OverallProgress is in
// percent, of all goals whatever their status.
type GoalSummary struct {
	Total              int     `json:"total"`
	Active             int     `json:"active"`
	Completed          int     `json:"completed"`
	Overdue            int     `json:"overdue"`
	TotalTargetAmount  Total   `json:"totalTargetAmount"`
	TotalCurrentAmount Total   `json:"totalCurrentAmount"`
	OverallProgress    float64 `json:"overallProgress"`
}

// NewGoalSummary sums up goals on a day, which is a UTC midnight.
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
	s.TotalTargetAmount, s.TotalCurrentAmount, s.OverallProgress = Total(target), Total(current), share(current, target)
	return s
}

// goalFields are the fields of a goal in the order in which faults are named.
var goalFields = []string{
	"title", "description", "targetAmount", "currentAmount", "goalType", "category", "targetDate", "priority",
	"status", "reminderFrequency", "milestones", "deviceId", "version",
}

// goalRequired are those that a body must have.
var goalRequired = []string{"title", "targetAmount", "goalType", "targetDate"}

func goalKey(key string) bool {
	return key == "_id" || key == "id" || key == "clientId" || slices.Contains(goalFields, key) || slices.Contains(ignored, key)
}

// ParseGoal reads the body of POST /api/goals and of PUT /api/goals/:id, checked:
// everything that a new goal needs. What it may omit is nil. Errors are
// models.Invalid in Joi's words, about the first fault.
func ParseGoal(body json.RawMessage) (models.GoalPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.GoalPatch{}, Meta{}, err
	}
	r := &fieldReader{object: o, required: goalRequired}
	p := r.goal()
	m, more := readMeta(o)
	if err := goalError(append(r.all(p.Goal().Check()), more...)); err != nil {
		return models.GoalPatch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, goalKey)
}

func (r *fieldReader) goal() models.GoalPatch {
	p := models.GoalPatch{
		Title: r.text("title"), Description: r.openText("description"),
		Target: r.money("targetAmount"), Current: r.money("currentAmount"),
		Type: r.text("goalType"), Category: r.text("category"), Priority: r.text("priority"),
		Status: r.text("status"), Reminder: r.text("reminderFrequency"),
		Milestones: r.milestones(),
	}
	p.TargetDate = r.fixedDate("targetDate")
	return p
}

// fixedDate reads a date that cannot be open.
func (r *fieldReader) fixedDate(field string) *time.Time {
	if nothing(r.object[field]) {
		r.note(field, models.RuleDate)
		return nil
	}
	t, _ := r.date(field)
	return t
}

// openText reads a text that may also be null, which is the empty text.
func (r *fieldReader) openText(field string) *string {
	if typeOf(r.object[field]) == null {
		return new(string)
	}
	return r.text(field)
}

// milestones reads [{amount, date}...]. What the server fills in is not read.
func (r *fieldReader) milestones() *[]models.Milestone {
	const field = "milestones"
	if r.absent(field) {
		return nil
	}
	if typeOf(r.object[field]) != array {
		r.note(field, models.RuleType)
		return nil
	}
	list := []models.Milestone{}
	for raw := range elements(r.object[field]) {
		if len(list) > models.MaxMilestones {
			break // enough to be refused
		}
		list = append(list, r.milestone(element(field, len(list)), raw))
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
	m.Amount, m.Date = value(in.money("amount")), value(in.fixedDate("date"))
	if key, unknown := firstUnknown(raw, func(k string) bool { return slices.Contains(milestoneKeys, k) }); unknown {
		in.violations = append(in.violations, models.Violation{Field: key, Rule: models.RuleUnknown})
	}
	for _, v := range in.violations {
		v.Field = label + "." + v.Field
		r.violations = append(r.violations, v)
	}
	return m
}

// goalError gives the first fault in the words that it has for a goal.
func goalError(vs []models.Violation) error {
	for _, field := range goalFields {
		for _, v := range vs {
			if v.Field == field || strings.HasPrefix(v.Field, field+"[") {
				return invalid(quoted(v.Field) + " " + goalPredicate(v))
			}
		}
	}
	return nil
}

// goalLists are the values that the original's texts list.
var goalLists = map[string][]string{
	"goalType": models.GoalTypes, "priority": models.GoalPriorities, "status": models.GoalStatuses,
	"reminderFrequency": models.GoalReminders,
	"category":          append(slices.Clone(models.Categories[:models.NamedCategories]), "general"),
}

func goalPredicate(v models.Violation) string {
	if list, ok := goalLists[v.Field]; ok && (v.Rule == models.RuleOneOf || v.Rule == models.RuleType) {
		return listed(list)
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

// ParseProgress reads {amount} of PATCH /api/goals/:id/progress: a number other
// than zero, which may be below it. Errors are models.Invalid in the original's words.
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

// ParseGoalStatus reads {status} of PATCH /api/goals/:id/status. Errors are
// models.Invalid in the original's words.
func ParseGoalStatus(body json.RawMessage) (string, error) {
	o, err := readObject(body)
	if err != nil {
		return "", err
	}
	status := str(o["status"])
	if !slices.Contains(models.GoalStatuses, status) {
		return "", invalid("Invalid status")
	}
	return status, nil
}

// A GoalFilter is the query of GET /api/goals; "" is any.
type GoalFilter struct{ Status, Type string }

// ParseGoalFilter reads the parameters status and type. Errors are models.Invalid.
func ParseGoalFilter(status, goalType string) (GoalFilter, error) {
	switch {
	case status != "" && !slices.Contains(models.GoalStatuses, status):
		return GoalFilter{}, invalid(`"status" ` + listed(models.GoalStatuses))
	case goalType != "" && !slices.Contains(models.GoalTypes, goalType):
		return GoalFilter{}, invalid(`"type" ` + listed(models.GoalTypes))
	}
	return GoalFilter{status, goalType}, nil
}

// Matches reports whether the filter lets g through.
func (f GoalFilter) Matches(g models.Goal) bool {
	return (f.Status == "" || f.Status == g.Status) && (f.Type == "" || f.Type == g.Type)
}
