package models

// A TextField is an optional text of an expense. Everything that treats these texts alike
// goes through TextFields: the rules here, and what internal/wire reads and writes. So a new
// one is a field of Expense, Draft and Patch, an entry at the end of the list here, and a
// migration; then the documents (docs/openapi.yaml, docs/events.md,
// static/expense-events.d.ts) and the page.
type TextField struct {
	Name  string // in the contract's spelling
	Limit int    // in UTF-16 units

	Of        func(Expense) string // by value: a pointer would move every expense to the heap
	InExpense func(*Expense) *string
	InDraft   func(*Draft) *string
	InPatch   func(*Patch) **string
}

// TextFields are the optional texts of an expense, in the contract's order.
var TextFields = []TextField{
	{
		"merchant", MaxMerchant,
		func(e Expense) string { return e.Merchant }, func(e *Expense) *string { return &e.Merchant },
		func(d *Draft) *string { return &d.Merchant }, func(p *Patch) **string { return &p.Merchant },
	},
	{
		"notes", MaxNotes,
		func(e Expense) string { return e.Notes }, func(e *Expense) *string { return &e.Notes },
		func(d *Draft) *string { return &d.Notes }, func(p *Patch) **string { return &p.Notes },
	},
}

// Expense returns the expense that d describes; d has a date. What is not the client's is for
// the caller to set.
func (d Draft) Expense(day Day) Expense {
	e := Expense{
		Description: d.Description, Amount: d.Amount, Category: d.Category, Type: d.Type,
		Date: *d.Date, Day: day, Currency: d.Currency, Tags: d.Tags,
	}
	for _, f := range TextFields {
		*f.InExpense(&e) = *f.InDraft(&d)
	}
	return e
}

// Patch returns the patch that sets all fields of d.
func (d Draft) Patch() Patch {
	p := Patch{
		Description: &d.Description, Amount: &d.Amount, Category: &d.Category, Type: &d.Type,
		Date: d.Date, Day: d.Day, Currency: &d.Currency, Tags: &d.Tags,
	}
	for _, f := range TextFields {
		*f.InPatch(&p) = f.InDraft(&d)
	}
	return p
}

// Draft returns the draft of what p sets; what it keeps is empty.
func (p Patch) Draft() Draft {
	d := Draft{Date: p.Date, Day: p.Day}
	setIf(&d.Description, p.Description)
	setIf(&d.Amount, p.Amount)
	setIf(&d.Category, p.Category)
	setIf(&d.Type, p.Type)
	setIf(&d.Currency, p.Currency)
	setIf(&d.Tags, p.Tags)
	for _, f := range TextFields {
		setIf(f.InDraft(&d), *f.InPatch(&p))
	}
	return d
}
