package original

import (
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// A document is a document whose fields have been split: those that all collections have, and
// the others. It is valid as long as its bytes.
type document struct {
	id, user           string // "" if it has none
	created, updated   time.Time
	version            int64
	fields             []field
	objectID, badTimes bool // whether the id is an ObjectId; whether a time of it cannot be
}

type field struct {
	name  string
	value bson.RawValue
}

// parse splits a document.
func parse(raw bson.Raw) (d document, err error) {
	elements, err := raw.Elements()
	if err != nil {
		return d, problem("The document is damaged")
	}
	d.fields = make([]field, 0, len(elements))
	for _, e := range elements {
		d.take(e.Key(), e.Value())
	}
	if d.id == "" {
		return d, problem("It has no _id, by which a repetition would be noticed")
	}
	if d.created.IsZero() && d.objectID {
		if id, err := bson.ObjectIDFromHex(d.id); err == nil {
			d.created = id.Timestamp()
		}
	}
	return d, nil
}

func (d *document) take(name string, v bson.RawValue) {
	switch name {
	case "_id":
		d.id, d.objectID = idText(v)
	case "user":
		d.user, _ = idText(v)
	case "createdAt":
		d.created = d.time(v)
	case "updatedAt":
		d.updated = d.time(v)
	case "version":
		if n, ok := v.AsInt64OK(); ok && n > 0 && n < 1<<31 {
			d.version = n
		}
	case "__v", "lastSyncedAt": // Mongoose's and the server's own
	default:
		d.fields = append(d.fields, field{name, v})
	}
}

func (d *document) time(v bson.RawValue) time.Time {
	t, err := moment(v)
	d.badTimes = d.badTimes || err != nil
	return t
}

// meta returns what a record has beside its content.
func (d *document) meta(c *Collection) ledger.RecordMeta {
	if !d.objectID {
		c.note("an _id that is no ObjectId was replaced by one made from it")
	}
	if d.badTimes {
		c.note("a createdAt or updatedAt that is no date was left out")
	}
	return ledger.RecordMeta{ID: d.id, Version: d.version, CreatedAt: d.created, UpdatedAt: d.updated}
}

// idText returns an id as a text: 24 hex digits of an ObjectId, also if it was kept as a string.
func idText(v bson.RawValue) (text string, objectID bool) {
	switch v.Type {
	case bson.TypeObjectID:
		id, ok := v.ObjectIDOK()
		return id.Hex(), ok
	case bson.TypeString:
		s, _ := v.StringValueOK()
		lower := strings.ToLower(s)
		if models.IsID(lower) {
			return lower, true
		}
		return s, false
	case 0, bson.TypeNull, bson.TypeUndefined:
		return "", false
	}
	return v.String(), false // extended JSON, which is one text per value
}
