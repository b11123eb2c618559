package models

import (
	"cmp"
	"slices"
)

// A CurrencySum is a sum in one currency.
type CurrencySum struct {
	Currency string
	Sum      Sum
}

// A CurrencyTotal is the total of the entries in one currency.
type CurrencyTotal struct {
	Currency        string
	Income, Expense Sum
	Count           int64 // number of entries
}

// Balance returns income minus expenses.
func (t *CurrencyTotal) Balance() Sum { return t.Income.Minus(t.Expense) }

// with returns t with one more entry; with one less if count is -1.
func (t CurrencyTotal) with(kind string, amount Sum, count int64) CurrencyTotal {
	if count < 0 {
		amount = Sum{}.Minus(amount)
	}
	if kind == "income" {
		t.Income = t.Income.Plus(amount)
	} else {
		t.Expense = t.Expense.Plus(amount)
	}
	t.Count += count
	return t
}

// plus returns t + o in t's currency.
func (t CurrencyTotal) plus(o CurrencyTotal) CurrencyTotal {
	t.Income, t.Expense, t.Count = t.Income.Plus(o.Income), t.Expense.Plus(o.Expense), t.Count+o.Count
	return t
}

// Totals are totals by the currency that entries name, "" for entries that name none.
// They are sorted by currency and contain no currency without entries. A Totals is
// immutable; With returns a new one.
type Totals []CurrencyTotal

// With returns the totals with one more entry of this currency and type; with one less
// if count is -1.
func (t Totals) With(currency, kind string, amount Money, count int64) Totals {
	i, found := t.find(currency)
	if !found {
		return slices.Insert(slices.Clip(t), i, CurrencyTotal{Currency: currency}.with(kind, SumOf(amount), count))
	}
	t = slices.Clone(t)
	if t[i] = t[i].with(kind, SumOf(amount), count); t[i].Count == 0 {
		return slices.Delete(t, i, i+1)
	}
	return t
}

// Of returns the total of the entries that name this currency.
func (t Totals) Of(currency string) CurrencyTotal {
	if i, found := t.find(currency); found {
		return t[i]
	}
	return CurrencyTotal{Currency: currency}
}

func (t Totals) find(currency string) (i int, found bool) {
	return slices.BinarySearchFunc(t, currency, func(c CurrencyTotal, code string) int { return cmp.Compare(c.Currency, code) })
}

// ForAccount splits the totals for an account in this currency: own is the total of entries in
// it or without a currency, others are those of other currencies, sorted by code.
func (t Totals) ForAccount(currency string) (own CurrencyTotal, others []CurrencyTotal) {
	own = CurrencyTotal{Currency: currency}
	for _, c := range t {
		if IsOwnCurrency(c.Currency, currency) {
			own = own.plus(c)
		} else {
			others = append(others, c)
		}
	}
	return own, others
}

// IsOwnCurrency reports whether an entry that names this currency, or none, is in the
// account's currency.
func IsOwnCurrency(named, account string) bool { return named == "" || named == account }
