package bankfile

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"expenseflow/models"
)

// A Mapping says how a file is to be read. What is zero is guessed.
type Mapping struct {
	Delimiter string // one of Delimiters
	Encoding  string // one of Encodings
	Decimal   string // "." or ","
	Dates     string // order of numeric dates: one of DateOrders
	Sign      string // "minus": negative amounts were spent; "plus": positive ones were
	Header    string // number of the line that names the columns, from 1; "none"
	Currency  string // of rows that name none; "" is the account's
	Columns   Columns
}

// Columns are the numbers, from 1, of the columns that have a Field.
type Columns map[Field]int

// A Field is what a column has.
type Field string

// The fields. Debit and Credit are two columns for what was spent and received, instead of
// Amount. Type says whether an amount was spent or received.
const (
	Date          Field = "date"
	Amount        Field = "amount"
	Debit         Field = "debit"
	Credit        Field = "credit"
	Type          Field = "type"
	Description   Field = "description"
	Merchant      Field = "merchant"
	Category      Field = "category"
	Notes         Field = "notes"
	Tags          Field = "tags"
	Account       Field = "account"
	CurrencyField Field = "currency"
	ID            Field = "id"
)

// Fields are all fields, in the order in which they are shown.
var Fields = []Field{
	Date, Amount, Debit, Credit, Type, Description, Merchant, Category, Notes, Tags, Account, CurrencyField, ID,
}

// Delimiters are what may be between the cells of a row.
var Delimiters = []string{",", ";", "\t", "|"}

// DateOrders are the orders of day, month and year.
var DateOrders = []string{"ymd", "dmy", "mdy"}

// ParseMapping reads a Mapping from the parameters of a query; "tab" is a delimiter too.
// Errors: models.Invalid with one sentence.
func ParseMapping(q url.Values) (m Mapping, err error) {
	m = Mapping{
		Delimiter: q.Get("delimiter"), Encoding: strings.ToLower(q.Get("encoding")), Decimal: q.Get("decimal"),
		Dates: q.Get("dates"), Sign: q.Get("sign"), Header: q.Get("header"), Currency: models.CurrencyCode(q.Get("currency")),
	}
	if m.Delimiter == "tab" {
		m.Delimiter = "\t"
	}
	if m.Columns, err = parseColumns(q.Get("columns")); err != nil {
		return m, err
	}
	return m, m.check()
}

func (m Mapping) check() error {
	for _, c := range []struct {
		name, value string
		known       []string
	}{
		{"delimiter", m.Delimiter, Delimiters},
		{"encoding", m.Encoding, Encodings},
		{"decimal", m.Decimal, []string{".", ","}},
		{"dates", m.Dates, DateOrders},
		{"sign", m.Sign, []string{"minus", "plus"}},
	} {
		if c.value != "" && !slices.Contains(c.known, c.value) {
			return models.E(models.Invalid, fmt.Sprintf("%q must be one of %q", c.name, c.known))
		}
	}
	if m.Header != "" && m.Header != "none" && m.headerLine() < 1 {
		return models.E(models.Invalid, `"header" must be the number of a line, or none`)
	}
	if m.Currency != "" && (len(m.Currency) < 3 || len(m.Currency) > 5 || strings.Trim(m.Currency, capitals) != "") {
		return models.E(models.Invalid, `"currency" must be a code such as EUR`)
	}
	return nil
}

const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// headerLine returns the number of the line with the header; 0 if it has none.
func (m Mapping) headerLine() int {
	n, _ := strconv.Atoi(m.Header)
	return n
}

// parseColumns parses date:1,amount:3.
func parseColumns(s string) (Columns, error) {
	columns := Columns{}
	for part := range strings.SplitSeq(s, ",") {
		if part == "" {
			continue
		}
		name, number, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(number)
		if !slices.Contains(Fields, Field(name)) || err != nil || n < 1 || n > maxColumns {
			return nil, models.E(models.Invalid, `"columns" must be fields with the numbers of columns, such as date:1,amount:3`)
		}
		columns[Field(name)] = n
	}
	return columns, nil
}

// complete reports whether the columns suffice for an entry.
func (c Columns) complete() bool {
	return c[Date] > 0 && (c[Amount] > 0 || c[Debit] > 0 || c[Credit] > 0)
}
