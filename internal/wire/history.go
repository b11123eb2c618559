package wire

import (
	"bytes"
	"strconv"

	"expenseflow/models"
)

// ParseHistoryCursor parses the parameter before of a history: the next of an earlier page,
// a sequence; "" is 0. The error is models.Invalid.
func ParseHistoryCursor(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 63)
	if err != nil || n == 0 {
		return 0, invalid(`"before" must be the "next" of a page of this history`)
	}
	return int64(n), nil
}

// A historyField is a field of an expense whose changes a history lists. append appends its
// value as in the expense's document; nothing if it is not set.
type historyField struct {
	name   string
	append func(b []byte, e *models.Expense) []byte
}

// historyFields are the fields that a client sets, in the order of the document.
var historyFields = append([]historyField{
	{"description", func(b []byte, e *models.Expense) []byte { return appendSetText(b, e.Description) }},
	{"amount", func(b []byte, e *models.Expense) []byte { return e.Amount.Append(b) }},
	{"category", func(b []byte, e *models.Expense) []byte { return appendSetText(b, e.Category) }},
	{"type", func(b []byte, e *models.Expense) []byte { return appendSetText(b, e.Type) }},
	{"date", func(b []byte, e *models.Expense) []byte { return appendTime(b, e.Date) }},
	{"day", func(b []byte, e *models.Expense) []byte { return appendDay(b, e.Day) }},
	{"currency", func(b []byte, e *models.Expense) []byte { return appendSetText(b, e.Currency) }},
}, append(textHistoryFields(), historyField{
	"tags", func(b []byte, e *models.Expense) []byte { return appendTags(b, "", e.Tags) },
})...)

func textHistoryFields() (fields []historyField) {
	for _, f := range models.TextFields {
		fields = append(fields, historyField{f.Name, func(b []byte, e *models.Expense) []byte { return appendSetText(b, f.Of(*e)) }})
	}
	return fields
}

func appendSetText(b []byte, s string) []byte { return appendNonEmpty(b, "", s) }

// roleField is what changes by a models.HistoryRole.
var roleField = historyField{"role", func(b []byte, e *models.Expense) []byte { return appendSetText(b, string(e.Role)) }}

// AppendHistory appends a page of the history of an expense: {expenseId, expense, entries:
// [{seq, action, at, by, deviceId?, version?, changes:[{field, from?, to}]}], next, complete}.
func AppendHistory(b []byte, expenseID string, h *models.History) []byte {
	b = appendString(append(b, `{"expenseId":`...), expenseID)
	b = append(b, `,"expense":`...)
	if h.Expense == nil {
		b = append(b, "null"...)
	} else {
		b = AppendExpense(b, h.Expense)
	}
	b = append(b, `,"entries":[`...)
	for i := range h.Entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendHistoryEntry(b, &h.Entries[i])
	}
	b = append(b, `],"next":`...)
	if h.Next == 0 {
		b = append(b, "null"...)
	} else {
		b = append(strconv.AppendInt(append(b, '"'), h.Next, 10), '"')
	}
	return append(strconv.AppendBool(append(b, `,"complete":`...), h.Complete), '}')
}

func appendHistoryEntry(b []byte, h *models.HistoryEntry) []byte {
	c := &h.Change
	b = strconv.AppendInt(append(b, `{"seq":`...), c.Seq, 10)
	b = appendString(append(b, `,"action":`...), string(h.Action()))
	b = appendTime(append(b, `,"at":`...), c.At)
	b = append(b, `,"by":`...)
	if h.Actor == nil {
		b = append(b, "null"...)
	} else {
		b = appendString(append(b, `{"id":`...), h.Actor.ID)
		b = append(appendString(append(b, `,"name":`...), h.Actor.Name), '}')
	}
	b = appendNonEmpty(b, `,"deviceId":`, c.Author.DeviceID)
	if c.Expense.Version > 0 {
		b = strconv.AppendInt(append(b, `,"version":`...), c.Expense.Version, 10)
	}
	b = append(b, `,"changes":[`...)
	return append(appendFieldChanges(b, h), "]}"...)
}

// appendFieldChanges appends what an entry changed. Without a state before, that is every
// field that is set, and "from" is absent.
func appendFieldChanges(b []byte, h *models.HistoryEntry) []byte {
	fields := historyFields
	switch h.Action() {
	case models.HistoryDeleted, models.HistoryLost:
		return b
	case models.HistoryRole:
		fields = []historyField{roleField}
	case models.HistoryShared:
		return appendSharesChange(b, h)
	}
	start := len(b)
	for _, f := range fields {
		to := f.append(nil, &h.Change.Expense)
		var from []byte
		if h.Before != nil {
			from = f.append(nil, &h.Before.Expense)
		}
		if bytes.Equal(from, to) {
			continue
		}
		if len(b) > start {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"field":`...), f.name)
		if h.Before != nil {
			b = appendRaw(append(b, `,"from":`...), from)
		}
		b = append(appendRaw(append(b, `,"to":`...), to), '}')
	}
	return b
}

// appendSharesChange appends whom an expense is shared with, before and after an entry;
// nothing if only invitations changed.
func appendSharesChange(b []byte, h *models.HistoryEntry) []byte {
	to := appendMembers(nil, h.Change.Shares)
	from := []byte("[]")
	if h.Before != nil {
		from = appendMembers(nil, h.Before.Shares)
	}
	if bytes.Equal(from, to) {
		return b
	}
	b = append(b, `{"field":"sharedWith"`...)
	if h.Before != nil {
		b = append(append(b, `,"from":`...), from...)
	}
	return append(append(append(b, `,"to":`...), to...), '}')
}

// appendMembers appends [{id, name?, role}]; a deleted account has no name.
func appendMembers(b []byte, shares []models.Share) []byte {
	b = append(b, '[')
	for i, s := range shares {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"id":`...), s.UserID)
		b = appendNonEmpty(b, `,"name":`, s.Name)
		b = append(appendString(append(b, `,"role":`...), string(s.Role)), '}')
	}
	return append(b, ']')
}
