package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/models"
)

// Meta is the part of a body that is not stored with the entity (docs/contract.md#d1).
type Meta struct {
	ID       string // of the entity, if the body has it: "id", else "_id"
	DeviceID string // "" if absent
	ClientID string // the client's id of this request, which makes it idempotent; "" if absent
	Version  *int64 // the version that the client last read; nil if absent
}

// ignoredKeys lists keys that are accepted and ignored: bookkeeping of the original's pages
// (docs/contract.md#d1), workspaces (docs/contract.md#documents) and the keys about
// sharing in an expense's document.
var ignoredKeys = []string{
	"timestamp", "user", "__v", "createdAt", "updatedAt", "offline", "pendingDelete",
	"workspaceId", "workspace", "addedBy", "isPrivate",
	"shared", "sharedBy", "role",
}

var metaKeys = []string{"_id", "id", "deviceId", "clientId", "version"}

var fieldKeys = append(append([]string{"description", "amount", "category", "type", "date", "day", "currency"},
	mapText(func(f models.TextField) string { return f.Name })...), "tags")

// requiredFields lists the fields that a complete expense must have.
var requiredFields = []string{"description", "amount", "category", "type"}

func isExpenseKey(key string) bool {
	return slices.Contains(fieldKeys, key) || slices.Contains(metaKeys, key) || slices.Contains(ignoredKeys, key)
}

// ParseDraft parses, validates and normalizes the body of a new expense. The error is
// models.Invalid with Joi's message for the first violation.
func ParseDraft(body json.RawMessage) (models.Draft, Meta, error) {
	p, m, err := parseExpense(body)
	return p.Draft(), m, err
}

// ParseFullPatch parses the body of PUT /api/expenses/:id, which needs the required fields of
// a new expense; optional fields that are absent keep their value. Errors are as for
// ParseDraft.
func ParseFullPatch(body json.RawMessage) (models.Patch, Meta, error) {
	return parseExpense(body)
}

// parseExpense reports violations in Joi's order: known fields in the contract's order,
// then Meta, then unknown keys.
func parseExpense(body json.RawMessage) (models.Patch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.Patch{}, Meta{}, err
	}
	p, vs := readPatch(o, joiDialect, true)
	m, more := readMeta(o)
	if err := joiError(append(vs, more...)); err != nil {
		return models.Patch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, isExpenseKey)
}

// refuseUnknown returns the error for the first key of body for which known is false.
func refuseUnknown(body json.RawMessage, o object, known func(string) bool) error {
	for key := range o {
		if !known(key) {
			first, _ := firstUnknown(body, known)
			return joiError([]models.Violation{{Field: first, Rule: models.RuleUnknownKey}})
		}
	}
	return nil
}

// ParseMongooseDraft parses, validates and normalizes the data of a batch's CREATE with its
// clientId. Unknown keys and invalid client ids are dropped, null counts as absent. The
// error is models.Invalid with Mongoose's message for all violations.
func ParseMongooseDraft(data json.RawMessage) (models.Draft, Meta, error) {
	o, err := readData(data)
	if err != nil {
		return models.Draft{}, Meta{}, err
	}
	p, vs := readPatch(o, mongooseDialect, true)
	var m Meta
	if id := stringOf(o["clientId"]); checkID("clientId", id) == nil {
		m.ClientID = id
	}
	return p.Draft(), m, mongooseError(createPrefix, vs)
}

// ParseMongoosePatch parses the data of a batch's UPDATE: the fields of an expense and the
// version that the client had read. Everything else, including owners and MongoDB
// operators, is dropped (docs/contract.md#d30). Errors are as for ParseMongooseDraft.
func ParseMongoosePatch(data json.RawMessage) (models.Patch, Meta, error) {
	o, err := readData(data)
	if err != nil {
		return models.Patch{}, Meta{}, err
	}
	p, vs := readPatch(o, mongooseDialect, false)
	m, more := readMeta(o)
	more = slices.DeleteFunc(more, func(v models.Violation) bool { return v.Field != "version" })
	return p, m, mongooseError(updatePrefix, append(vs, more...))
}

// readData parses an operation's data; absent and null count as {}.
func readData(data json.RawMessage) (object, error) {
	switch typeOf(data) {
	case absent, null:
		return object{}, nil
	case objectType:
		return readObject(data)
	}
	return nil, notObject(data, "data")
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// An expenseReader reads the fields of an expense and collects violations.
type expenseReader struct {
	object
	dialect
	whole      bool // whether the required fields must be present
	violations []models.Violation
}

// readPatch returns the normalized fields of o and every rule they break, in the
// contract's order. whole requires the required fields.
func readPatch(o object, v dialect, whole bool) (models.Patch, []models.Violation) {
	r := &expenseReader{object: o, dialect: v, whole: whole}
	p := models.Patch{
		Description: r.text("description"), Amount: r.money("amount"),
		Category: r.text("category"), Type: r.text("type"),
		Currency: r.text("currency"), Tags: r.tags(),
	}
	for _, f := range models.TextFields {
		*f.InPatch(&p) = r.text(f.Name)
	}
	p = p.Normalize()
	p.Date, p.Day = r.dateAndDay()
	return p, sortViolations(append(r.violations, p.Check()...))
}

// requireField adds a violation for an absent field that is required.
func (r *expenseReader) requireField(field string) {
	if r.whole && slices.Contains(requiredFields, field) {
		r.addViolation(field, models.RuleRequired)
	}
}

func (r *expenseReader) addViolation(field string, rule models.Rule) {
	r.violations = append(r.violations, models.Violation{Field: field, Rule: rule, Value: string(r.object[field])})
}

func (r *expenseReader) text(field string) *string {
	raw := r.object[field]
	if r.absent(raw) {
		r.requireField(field)
		return nil
	}
	s, ok := r.readText(raw)
	if !ok {
		r.addViolation(field, models.RuleType)
		return nil
	}
	return &s
}

// tags returns the field tags. What is no list of texts is a violation over HTTP. Sockets and
// batches drop it, because they dropped the field before there were tags.
func (r *expenseReader) tags() *models.Tags {
	raw := r.object["tags"]
	if r.absent(raw) {
		return nil
	}
	list, ok := textsOf(raw)
	if !ok {
		if r.dialect == joiDialect {
			r.addViolation("tags", models.RuleType)
		}
		return nil
	}
	tags := models.NewTags(list)
	return &tags
}

// textsOf returns the elements of a list of texts; false if raw is none. In no dialect does
// another value become a text, so that every way to the server keeps the same tags.
func textsOf(raw json.RawMessage) (list []string, ok bool) {
	if typeOf(raw) != array {
		return nil, false
	}
	for element := range rawjson.Elements(raw) {
		if typeOf(element) != text {
			return nil, false
		}
		list = append(list, stringOf(element))
	}
	return list, true
}

func (r *expenseReader) money(field string) *models.Money {
	raw := r.object[field]
	if r.absentValue(raw) {
		r.requireField(field)
		return nil
	}
	m, broken := r.readAmount(raw)
	if broken != "" {
		r.addViolation(field, broken)
		return nil
	}
	return &m
}

// dateAndDay returns the date and the day: of the date if that is written as a day, else
// the field day.
func (r *expenseReader) dateAndDay() (date *time.Time, day *models.Day) {
	if raw := r.object["date"]; !r.absentValue(raw) {
		t, named, ok := readDate(raw)
		if !ok {
			r.addViolation("date", models.RuleDate)
			return nil, nil
		}
		date, day = &t, named
	}
	if day == nil {
		day = r.day()
	}
	return date, day
}

// day returns the field day. An invalid one is a violation over HTTP and is dropped in
// a batch.
func (r *expenseReader) day() *models.Day {
	raw := r.object["day"]
	if raw == nil || isNullOrEmpty(raw) {
		return nil
	}
	d, ok := models.ParseDay(stringOf(raw))
	if !ok {
		if r.dialect == joiDialect {
			r.addViolation("day", models.RuleDay)
		}
		return nil
	}
	return &d
}

// readMeta returns the Meta of o. Values of a wrong type are dropped, except a version:
// ignoring that would overwrite the change of another device.
func readMeta(o object) (Meta, []models.Violation) {
	m := Meta{ID: stringOf(o["id"]), DeviceID: stringOf(o["deviceId"]), ClientID: stringOf(o["clientId"])}
	if m.ID == "" {
		m.ID = stringOf(o["_id"])
	}
	vs := append(checkID("deviceId", m.DeviceID), checkID("clientId", m.ClientID)...)
	raw := o["version"]
	if typeOf(raw) == absent || typeOf(raw) == null {
		return m, vs
	}
	n, ok := readInt(raw)
	if !ok {
		return m, append(vs, models.Violation{Field: "version", Rule: models.RuleType, Value: string(raw)})
	}
	m.Version = &n
	return m, vs
}

// checkID returns a violation for an id that is too long or contains NUL.
func checkID(field, id string) []models.Violation {
	switch {
	case models.UTF16Len(id) > MaxIDLength:
		return []models.Violation{{Field: field, Rule: models.RuleTooLong, Limit: MaxIDLength}}
	case strings.ContainsRune(id, 0):
		return []models.Violation{{Field: field, Rule: models.RuleNUL}}
	}
	return nil
}
