package original

import (
	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/ledger"
	"expenseflow/models"
)

// roundedNote is of amounts that had more decimals than are kept.
const roundedNote = "an amount was rounded to six decimals"

// expense maps an expense. Its amount is in originalCurrency; what the original converted it to
// is not kept.
func expense(d document, c *Collection) (ledger.Record, error) {
	e := &ledger.ExpenseRecord{RecordMeta: d.meta(c)}
	var other models.Draft
	for _, f := range d.fields {
		if err := expenseField(d, f, &e.Draft, &other, c); err != nil {
			return ledger.Record{}, err
		}
	}
	if e.Draft.Currency == "" {
		e.Draft.Currency = other.Currency
	}
	return ledger.Record{Expense: e}, nil
}

// expenseField maps one field; other holds what an older revision called otherwise.
func expenseField(d document, f field, to, other *models.Draft, c *Collection) (err error) {
	switch f.name {
	case "description":
		to.Description, err = text(f.name, f.value)
	case "amount":
		to.Amount, err = amount(f, c)
	case "category":
		to.Category, err = text(f.name, f.value)
	case "type":
		to.Type, err = text(f.name, f.value)
	case "date":
		t, problem := date(f.name, f.value)
		if err = problem; !t.IsZero() {
			to.Date = &t
		}
	case "originalCurrency":
		to.Currency, err = text(f.name, f.value)
	case "currency":
		other.Currency, err = text(f.name, f.value)
	case "merchant":
		to.Merchant, err = text(f.name, f.value)
	case "notes":
		to.Notes, err = text(f.name, f.value)
	case "tags":
		to.Tags, err = tags(f)
	case "originalAmount": // the amount, as it was entered
	case "addedBy":
		if by, _ := idText(f.value); by != d.user {
			c.unknownField(f)
		}
	case "workspace":
		if !isEmpty(f.value) {
			c.note("of a workspace, which is not here: it is now of the user alone who entered it")
		}
	default:
		c.unknownField(f)
	}
	return err
}

func amount(f field, c *Collection) (models.Money, error) {
	m, rounded, err := money(f.name, f.value)
	if rounded {
		c.note(roundedNote)
	}
	return m, err
}

func tags(f field) (models.Tags, error) {
	var list []string
	err := eachIn(f.value, func(v bson.RawValue) error {
		s, err := text(f.name, v)
		list = append(list, s)
		return err
	})
	return models.NewTags(list), err
}

// eachIn calls fn with the values of an array; anything else has none.
func eachIn(v bson.RawValue, fn func(bson.RawValue) error) error {
	array, ok := v.ArrayOK()
	if !ok {
		return nil
	}
	values, err := array.Values()
	if err != nil {
		return problem("The document is damaged")
	}
	for _, v := range values {
		if err := fn(v); err != nil {
			return err
		}
	}
	return nil
}
