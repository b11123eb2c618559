package bankfile

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"expenseflow/models"
)

// A table has what the whole of a table shows.
type table struct {
	app      string
	dates    dateEvidence
	decimals decimalEvidence
	minus    int // amounts below zero
	plus     int // other amounts
	sides    int // rows whose type says whether they were spent
	count    int // rows

	minusDebits, plusDebits int
}

func newTable(app string) *table { return &table{app: app} }

// records calls fn with each record behind the header.
func (t *table) records(text string, m Mapping, fn func(record) error) error {
	r := newRecordReader(text, m.Delimiter[0])
	for {
		rec, ok := r.next()
		if !ok {
			return nil
		}
		if rec.line <= m.headerLine() {
			continue
		}
		if err := fn(rec); err != nil {
			return err
		}
	}
}

var errManyRows = tooLarge(fmt.Sprintf("The file has more than %d rows: export a shorter time, or split it", MaxRows))

// study reads the whole table for what it shows, as far as Rows would.
func (t *table) study(text string, m Mapping) {
	_ = t.records(text, m, func(r record) error { // more rows than MaxRows are for Rows to refuse
		c := m.Columns
		if t.count++; t.count > MaxRows {
			return errManyRows
		}
		t.dates.add(cellAt(r.cells, c[Date]))
		if s := sideOf(cellAt(r.cells, c[Type])); s == spent || s == received {
			t.sides++
		}
		t.studyAmount(cellAt(r.cells, c[Amount]), &t.minus, &t.plus)
		t.studyAmount(cellAt(r.cells, c[Debit]), &t.minusDebits, &t.plusDebits)
		t.decimals.add(cellAt(r.cells, c[Credit]))
		return nil
	})
}

func (t *table) studyAmount(s string, minus, plus *int) {
	t.decimals.add(s)
	switch n, ok := splitAmount(s); {
	case ok && n.negative:
		*minus++
	case ok && strings.Trim(n.digits, "0.,") != "":
		*plus++
	}
}

// byType reports whether the types say what was spent: amounts of both signs say it themselves.
func (t *table) byType() bool { return t.sides > 0 && (t.minus == 0 || t.plus == 0) }

// sign returns how amounts were spent; known is false if amounts of one sign say nothing.
func (t *table) sign(c Columns) (sign string, known bool) {
	switch {
	case c[Amount] == 0 || t.byType() || t.minus > 0 || t.plus == 0:
		return "minus", true
	}
	return "plus", false
}

// rows calls fn with each row.
func (t *table) rows(text string, m Mapping, fn func(Row) error) error {
	return t.records(text, m, func(r record) error {
		row := Row{Line: r.line, Problem: r.problem}
		t.fill(&row, r.cells, m)
		return fn(row)
	})
}

// fill sets the fields of a row from its cells.
func (t *table) fill(row *Row, cells []string, m Mapping) {
	cell := func(f Field) string { return cellAt(cells, m.Columns[f]) }
	row.Description, row.Merchant, row.Notes = cell(Description), cell(Merchant), cell(Notes)
	row.Category, row.Account, row.ID = cell(Category), cell(Account), cell(ID)
	row.Currency = currencyOf(cell(CurrencyField))
	row.Tags = strings.FieldsFunc(cell(Tags), func(r rune) bool { return r == ',' || r == ';' || r == '|' })
	if row.Problem != "" {
		return
	}
	var ok bool
	if row.Day, ok = parseDate(cell(Date), m.Dates); !ok {
		row.Problem = fmt.Sprintf("%q is not a date", shorten(cell(Date), 40))
		return
	}
	row.Problem = t.setAmount(row, cell, m)
	if t.app == "Firefly III" && row.Amount > 0 {
		row.Merchant, row.Account = row.Account, row.Merchant // what was received comes from its source
	}
}

// setAmount sets the amount and the currency of a row, and returns its problem.
func (t *table) setAmount(row *Row, cell func(Field) string, m Mapping) string {
	kind := sideOf(cell(Type))
	if kind == neither || leavesOut(t.app, cell) {
		return "It is a transfer between accounts or a balance, which is no income and no expense"
	}
	if m.Columns[Amount] == 0 {
		return t.setSplitAmount(row, cell, m)
	}
	text := cell(Amount)
	amount, currency, ok := parseAmount(text, m.Decimal)
	switch {
	case !ok:
		return fmt.Sprintf("%q is not an amount with the decimal sign %s", shorten(text, 40), m.Decimal)
	case amount == 0:
		return "Its amount is zero"
	}
	if row.Currency == "" {
		row.Currency = currency
	}
	row.Amount = signed(amount, kind, t.byType(), m.Sign)
	return ""
}

func signed(amount models.Money, kind side, byType bool, sign string) models.Money {
	switch {
	case byType && kind == spent:
		return -max(amount, -amount)
	case byType && kind == received:
		return max(amount, -amount)
	case sign == "plus":
		return -amount
	}
	return amount
}

// setSplitAmount is setAmount for columns of what was spent and what was received.
func (t *table) setSplitAmount(row *Row, cell func(Field) string, m Mapping) string {
	for _, f := range []Field{Debit, Credit} {
		text := cell(f)
		amount, currency, ok := parseAmount(text, m.Decimal)
		switch {
		case text == "" || text == "-" || ok && amount == 0:
			continue
		case !ok:
			return fmt.Sprintf("%q is not an amount with the decimal sign %s", shorten(text, 40), m.Decimal)
		}
		if row.Currency == "" {
			row.Currency = currency
		}
		if f == Debit && t.plusDebits >= t.minusDebits {
			amount = -amount
		}
		row.Amount += amount
	}
	if row.Amount == 0 {
		return "It has no amount"
	}
	return ""
}

func currencyOf(s string) string {
	if s = models.CurrencyCode(s); len(s) >= 3 && len(s) <= 5 && strings.Trim(s, capitals) == "" {
		return s
	}
	for sign, code := range currencySigns {
		if s == string(sign) {
			return code
		}
	}
	return ""
}

// cellAt returns the cell of a column, from 1; "" if there is none.
func cellAt(cells []string, column int) string {
	if column < 1 || column > len(cells) {
		return ""
	}
	return cells[column-1]
}

// shorten cuts a text to most UTF-16 units, the last of them an ellipsis.
func shorten(s string, most int) string {
	if models.UTF16Len(s) <= most {
		return s
	}
	n := 0
	for i, r := range s {
		if n += utf16.RuneLen(r); n > most-1 {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}
