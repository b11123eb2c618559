package wire

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"expenseflow/models"
)

// Meta is what a client says beside an expense's own fields (docs/contract.md#d1,
// decision 8). It is never stored with the expense.
type Meta struct {
	ID       string // the expense meant, where the body names it: "id", else "_id"
	DeviceID string // "" if the client named none
	ClientID string // the client's own name for this very request; "" if none
	Version  *int64 // the version that the client last read; nil if it named none
}

// ignored are the keys that clients send along and nobody needs: bookkeeping of
// the original's pages (docs/contract.md#d1) and of workspaces (docs/contract.md#documents), and what a
// document says of those who share the expense.
var ignored = []string{
	"timestamp", "user", "__v", "createdAt", "updatedAt", "offline", "pendingDelete",
	"workspaceId", "workspace", "addedBy", "isPrivate",
	"shared", "sharedBy", "role",
}

var metaKeys = []string{"_id", "id", "deviceId", "clientId", "version"}

var fieldKeys = []string{"description", "amount", "category", "type", "date", "day", "currency", "merchant", "notes"}

// required are the fields that a whole expense must have.
var required = []string{"description", "amount", "category", "type"}

func knownKey(key string) bool {
	return slices.Contains(fieldKeys, key) || slices.Contains(metaKeys, key) || slices.Contains(ignored, key)
}

// ParseDraft reads the body of a new expense, already checked and normalized.
// Errors are models.Invalid in Joi's words, about the first fault.
func ParseDraft(body json.RawMessage) (models.Draft, Meta, error) {
	p, m, err := parseExpense(body)
	return draft(p), m, err
}

// ParseFull reads the body of PUT: everything that a new expense needs; of what
// it may omit, the stored value stays. Errors are ParseDraft's.
func ParseFull(body json.RawMessage) (models.Patch, Meta, error) {
	return parseExpense(body)
}

// parseExpense reads body in Joi's way: known fields in the contract's order,
// then what is said beside them, then unknown keys.
func parseExpense(body json.RawMessage) (models.Patch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.Patch{}, Meta{}, err
	}
	p, vs := readPatch(o, joi, true)
	m, more := readMeta(o)
	if err := joiError(append(vs, more...)); err != nil {
		return models.Patch{}, Meta{}, err
	}
	return p, m, refuseUnknown(body, o, knownKey)
}

// refuseUnknown gives the error for the first key of body that known refuses.
func refuseUnknown(body json.RawMessage, o object, known func(string) bool) error {
	for key := range o {
		if !known(key) {
			first, _ := firstUnknown(body, known)
			return joiError([]models.Violation{{Field: first, Rule: models.RuleUnknown}})
		}
	}
	return nil
}

// MongooseDraft reads the data of a batch's CREATE, checked and normalized, and
// the clientId beside it; unknown keys and names that no client can have made are
// dropped, and null is absent. The error is models.Invalid and names every fault
// in Mongoose's words.
func MongooseDraft(data json.RawMessage) (models.Draft, Meta, error) {
	o, err := readData(data)
	if err != nil {
		return models.Draft{}, Meta{}, err
	}
	p, vs := readPatch(o, mongo, true)
	var m Meta
	if id := str(o["clientId"]); checkID("clientId", id) == nil {
		m.ClientID = id
	}
	return draft(p), m, mongooseError(createRefused, vs)
}

// MongoosePatch reads the data of a batch's UPDATE: only the fields of an
// expense and the version that the client had read; everything else, owners and
// operators included, is dropped (docs/contract.md#d30). Errors are MongooseDraft's.
func MongoosePatch(data json.RawMessage) (models.Patch, Meta, error) {
	o, err := readData(data)
	if err != nil {
		return models.Patch{}, Meta{}, err
	}
	p, vs := readPatch(o, mongo, false)
	m, more := readMeta(o)
	more = slices.DeleteFunc(more, func(v models.Violation) bool { return v.Field != "version" })
	return p, m, mongooseError(updateRefused, append(vs, more...))
}

// readData reads an operation's data; absent and null count as {}.
func readData(data json.RawMessage) (object, error) {
	switch typeOf(data) {
	case absent, null:
		return object{}, nil
	case objectType:
		return readObject(data)
	}
	return nil, notObject(data, "data")
}

// draft is the expense that a whole patch describes.
func draft(p models.Patch) models.Draft {
	return models.Draft{
		Description: value(p.Description), Amount: value(p.Amount), Category: value(p.Category), Type: value(p.Type),
		Date: p.Date, Day: p.Day, Currency: value(p.Currency), Merchant: value(p.Merchant), Notes: value(p.Notes),
	}
}

func value[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// A reader takes an expense's fields out of an object and notes what is wrong.
type reader struct {
	object
	voice
	whole      bool // the required fields must be there
	violations []models.Violation
}

// readPatch gives the normalized fields of o and every rule they break, in the
// contract's order. whole also demands the required ones.
func readPatch(o object, v voice, whole bool) (models.Patch, []models.Violation) {
	r := &reader{object: o, voice: v, whole: whole}
	p := models.Patch{
		Description: r.text("description"), Amount: r.money("amount"),
		Category: r.text("category"), Type: r.text("type"),
		Currency: r.text("currency"), Merchant: r.text("merchant"), Notes: r.text("notes"),
	}.Normalize()
	p.Date, p.Day = r.dated()
	return p, ordered(append(r.violations, p.Check()...))
}

// missing notes an absent field that a whole expense needs.
func (r *reader) missing(field string) {
	if r.whole && slices.Contains(required, field) {
		r.note(field, models.RuleRequired)
	}
}

func (r *reader) note(field string, rule models.Rule) {
	r.violations = append(r.violations, models.Violation{Field: field, Rule: rule, Value: string(r.object[field])})
}

func (r *reader) text(field string) *string {
	raw := r.object[field]
	if r.absent(raw) {
		r.missing(field)
		return nil
	}
	s, ok := r.readText(raw)
	if !ok {
		r.note(field, models.RuleType)
		return nil
	}
	return &s
}

func (r *reader) money(field string) *models.Money {
	raw := r.object[field]
	if r.absentValue(raw) {
		r.missing(field)
		return nil
	}
	m, broken := r.readAmount(raw)
	if broken != "" {
		r.note(field, broken)
		return nil
	}
	return &m
}

// dated reads date, and the day that it names itself; else that of day.
func (r *reader) dated() (date *time.Time, day *models.Day) {
	if raw := r.object["date"]; !r.absentValue(raw) {
		t, named, ok := readDate(raw)
		if !ok {
			r.note("date", models.RuleDate)
			return nil, nil
		}
		date, day = &t, named
	}
	if day == nil {
		day = r.day()
	}
	return date, day
}

// day reads the calendar day that a document has beside its date. In a batch, which
// drops what it does not understand, a text that is none is dropped.
func (r *reader) day() *models.Day {
	raw := r.object["day"]
	if raw == nil || nothing(raw) {
		return nil
	}
	d, ok := models.ParseDay(str(raw))
	if !ok {
		if r.voice == joi {
			r.note("day", models.RuleDay)
		}
		return nil
	}
	return &d
}

// readMeta gives what o says beside the fields. Values of other types than
// these are dropped, except a version: ignoring it would overwrite blindly.
func readMeta(o object) (Meta, []models.Violation) {
	m := Meta{ID: str(o["id"]), DeviceID: str(o["deviceId"]), ClientID: str(o["clientId"])}
	if m.ID == "" {
		m.ID = str(o["_id"])
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

// checkID refuses names that a device cannot have made.
func checkID(field, id string) []models.Violation {
	switch {
	case models.UTF16Len(id) > MaxID:
		return []models.Violation{{Field: field, Rule: models.RuleTooLong, Limit: MaxID}}
	case strings.ContainsRune(id, 0):
		return []models.Violation{{Field: field, Rule: models.RuleNUL}}
	}
	return nil
}
