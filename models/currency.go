package models

import "strings"

// DefaultCurrency is an account's until it is set, as in the original.
const DefaultCurrency = "INR"

// A Currency is one that an account can have.
type Currency struct {
	Code     string // ISO 4217, three upper-case letters
	Name     string // in English
	Symbol   string // in English, such as "$" or "CHF"
	Decimals int    // that amounts usually have; an amount may have more
}

// CurrencyCode is the code that a client means: trimmed, and the letters of ASCII in
// upper case. Other letters stay, or ınr (U+0131) and uſd (U+017F) would be codes.
func CurrencyCode(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, Trim(s))
}

// FindCurrency is the one of Currencies with this code, in upper case.
func FindCurrency(code string) (Currency, bool) {
	i, found := currencyIndex[code]
	if !found {
		return Currency{}, false
	}
	return Currencies[i], true
}

var currencyIndex = func() map[string]int {
	index := make(map[string]int, len(Currencies))
	for i, c := range Currencies {
		index[c.Code] = i
	}
	return index
}()
