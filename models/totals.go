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

// A CurrencyTotal is what entries of one currency amount to.
type CurrencyTotal struct {
	Currency        string
	Income, Expense Sum
	Count           int64 // of entries
}

// Balance is what is left.
func (t *CurrencyTotal) Balance() Sum { return t.Income.Minus(t.Expense) }

// with gives t with an entry more, or one less if count is -1.
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

// plus gives both together, in t's currency.
func (t CurrencyTotal) plus(o CurrencyTotal) CurrencyTotal {
	t.Income, t.Expense, t.Count = t.Income.Plus(o.Income), t.Expense.Plus(o.Expense), t.Count+o.Count
	return t
}

// Totals are what entries amount to, by the currency that they name; "" is of
// those that name none. They are in order and have no currency without entries.
// A Totals never changes; With gives another one.
type Totals []CurrencyTotal

// With gives the totals with one more entry of that currency and type, or one
// less if count is -1.
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

// Of is the total of a currency as entries name it.
func (t Totals) Of(currency string) CurrencyTotal {
	if i, found := t.find(currency); found {
		return t[i]
	}
	return CurrencyTotal{Currency: currency}
}

func (t Totals) find(currency string) (i int, found bool) {
	return slices.BinarySearchFunc(t, currency, func(c CurrencyTotal, code string) int { return cmp.Compare(c.Currency, code) })
}

// In gives the total of an account of this currency, with its entries that name
// no currency, and those of the other currencies beside it, by code.
func (t Totals) In(currency string) (own CurrencyTotal, others []CurrencyTotal) {
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

// IsOwnCurrency reports whether an entry that names this currency is in the
// account's: it names that one, or none.
func IsOwnCurrency(named, account string) bool { return named == "" || named == account }
