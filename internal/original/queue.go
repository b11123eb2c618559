package original

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

var validHour = regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)

var errDone = notNeeded("applied by the original already")

// queuedThere is why an operation of the original's queue is parked.
const queuedThere = "It waited in the queue of the server that the data was imported from"

// operation maps an entry of the offline queue. One that was applied is not needed.
func operation(d document, c *Collection) (ledger.Record, error) {
	m := d.meta(c)
	q := &models.QueuedOperation{ID: m.ID, CreatedAt: m.CreatedAt, Result: models.Result{Error: queuedThere}}
	for _, f := range d.fields {
		var err error
		switch f.name {
		case "action":
			var action string
			action, err = text(f.name, f.value)
			q.Action = models.Action(action)
		case "resourceType":
			q.ResourceType, err = text(f.name, f.value)
		case "resourceId":
			q.ResourceID, err = text(f.name, f.value)
		case "deviceId":
			q.DeviceID, err = text(f.name, f.value)
		case "data":
			q.Data, err = plainJSON(f.value)
		case "processed":
			if isTrue(f.value) {
				err = errDone
			}
		default:
			c.unknownField(f)
		}
		if err != nil {
			return ledger.Record{}, err
		}
	}
	return ledger.Record{Operation: q}, nil
}

// maxNesting is how deep data of documents may nest.
const maxNesting = 32

// plainJSON returns a value as the original's server sent it to its pages: ids and dates are
// texts. null and absent are nil.
func plainJSON(v bson.RawValue) (json.RawMessage, error) {
	plain, err := plainValue(v, maxNesting)
	if err != nil || plain == nil {
		return nil, err
	}
	return json.Marshal(plain)
}

func plainValue(v bson.RawValue, depth int) (any, error) {
	if depth == 0 {
		return nil, problem("Its data nests too deep")
	}
	switch v.Type {
	case bson.TypeString:
		return text("data", v)
	case bson.TypeBoolean:
		return isTrue(v), nil
	case bson.TypeInt32, bson.TypeInt64, bson.TypeDouble, bson.TypeDecimal128:
		return plainNumber(v)
	case bson.TypeDateTime:
		t, err := date("data", v)
		return t.Format(javaScriptTime), err
	case bson.TypeObjectID:
		id, _ := v.ObjectIDOK()
		return id.Hex(), nil
	case bson.TypeArray:
		list := []any{}
		err := eachIn(v, func(v bson.RawValue) error {
			plain, err := plainValue(v, depth-1)
			list = append(list, plain)
			return err
		})
		return list, err
	case bson.TypeEmbeddedDocument:
		return plainObject(v, depth)
	case bson.TypeBinary:
		_, bytes, _ := v.BinaryOK()
		return hex.EncodeToString(bytes), nil
	}
	return nil, nil
}

// javaScriptTime is how JavaScript writes a Date in JSON.
const javaScriptTime = "2006-01-02T15:04:05.000Z"

func plainObject(v bson.RawValue, depth int) (any, error) {
	doc, _ := v.DocumentOK()
	elements, err := doc.Elements()
	if err != nil {
		return nil, problem("The document is damaged")
	}
	object := make(map[string]any, len(elements))
	for _, e := range elements {
		if object[e.Key()], err = plainValue(e.Value(), depth-1); err != nil {
			return nil, err
		}
	}
	return object, nil
}

// plainNumber returns a number as JavaScript writes it: NaN and infinity are null.
func plainNumber(v bson.RawValue) (any, error) {
	number, err := decimalText("data", v)
	if err != nil {
		return nil, err
	}
	if f, err := strconv.ParseFloat(number, 64); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, nil //nolint:nilerr // it is null
	}
	return json.Number(number), nil
}
