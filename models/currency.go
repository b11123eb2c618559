package models

import "strings"

// DefaultCurrency is the currency of an account that has not chosen one.
const DefaultCurrency = "INR"

// A Currency is a currency that an account can have.
type Currency struct {
	Code     string // ISO 4217, three upper-case letters
	Name     string // in English
	Symbol   string // in English, such as "$" or "CHF"
	Decimals int    // usual number of decimals; an amount may have more
}

// CurrencyCode returns s trimmed and with ASCII letters in upper case. Other letters
// stay, so that ınr (U+0131) and uſd (U+017F) do not become codes.
func CurrencyCode(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}, Trim(s))
}

// FindCurrency returns the element of Currencies with this upper-case code.
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
