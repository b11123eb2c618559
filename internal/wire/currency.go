package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"expenseflow/models"
)

// A CurrencyTotal is what entries in another currency than the account's amount to.
type CurrencyTotal struct {
	Currency  string          `json:"currency"`
	Income    Total           `json:"income"`
	Expense   Total           `json:"expense"`
	Balance   Total           `json:"balance"`
	Count     int64           `json:"count"`
	Converted *ConvertedTotal `json:"converted"` // null without a rate
}

// A ConvertedTotal is a CurrencyTotal in the account's currency. Each figure is
// converted by itself and rounded to the decimals that the currency usually has.
type ConvertedTotal struct {
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
	Balance Total `json:"balance"`
	Conversion
}

// A Conversion says by what something was converted.
type Conversion struct {
	Currency string `json:"currency"`
	Rate     Rate   `json:"rate"`
	AsOf     Time   `json:"asOf"`
}

func newConversion(rates *models.Rates, from, to string) Conversion {
	rate, _ := rates.Rate(from, to)
	f, _ := rate.Float64()
	return Conversion{Currency: to, Rate: Rate(f), AsOf: Time(rates.At)}
}

// currencyTotals gives the documents of totals beside an account's currency; never
// nil, so that it is written [].
func currencyTotals(totals []models.CurrencyTotal, account string, rates *models.Rates) []CurrencyTotal {
	docs := make([]CurrencyTotal, len(totals))
	for i, t := range totals {
		docs[i] = CurrencyTotal{t.Currency, Total(t.Income), Total(t.Expense), Total(t.Balance()), t.Count, converted(&t, account, rates)}
	}
	return docs
}

func converted(t *models.CurrencyTotal, to string, rates *models.Rates) *ConvertedTotal {
	income, ok1 := rates.Convert(t.Income, t.Currency, to)
	expense, ok2 := rates.Convert(t.Expense, t.Currency, to)
	balance, ok3 := rates.Convert(t.Balance(), t.Currency, to)
	if !ok1 || !ok2 || !ok3 {
		return nil
	}
	return &ConvertedTotal{Total(income), Total(expense), Total(balance), newConversion(rates, t.Currency, to)}
}

// A Rate is a number with twelve digits.
type Rate float64

// MarshalJSON gives the digits, without an exponent.
func (r Rate) MarshalJSON() ([]byte, error) {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(r), 'e', 11, 64), 64)
	return strconv.AppendFloat(nil, f, 'f', -1, 64), err
}

// A Currency is one that an account can have.
type Currency struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Symbol   string `json:"symbol"`
	Decimals int    `json:"decimals"`
}

// A Currencies is the answer to GET /api/currency/supported.
type Currencies struct {
	Success bool `json:"success"`
	Data    struct {
		Currencies []Currency `json:"currencies"`
	} `json:"data"`
}

// NewCurrencies lists all of them.
func NewCurrencies() (c Currencies) {
	c.Success = true
	for _, known := range models.Currencies {
		c.Data.Currencies = append(c.Data.Currencies, Currency(known))
	}
	return c
}

// A Preference is the answer to GET /api/currency/preference.
type Preference struct {
	Success bool `json:"success"`
	Data    struct {
		PreferredCurrency string `json:"preferredCurrency"`
	} `json:"data"`
}

// NewPreference gives u's document.
func NewPreference(u *models.User) (p Preference) {
	p.Success, p.Data.PreferredCurrency = true, u.Currency()
	return p
}

var errCurrency = invalid("Invalid currency code")

// ParsePreference reads {currency}, the body of PUT /api/currency/preference.
// Errors are models.Invalid in the original's words.
func ParsePreference(body json.RawMessage) (models.SettingsPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	m, vs := readMeta(o)
	code := models.CurrencyCode(str(o["currency"]))
	p := models.SettingsPatch{Currency: &code}
	if len(p.Check()) > 0 {
		return models.SettingsPatch{}, Meta{}, errCurrency
	}
	return p, m, joiError(vs)
}

// A RatesPage is the answer to GET /api/currency/rates: how much of each currency
// one of the base is worth.
type RatesPage struct {
	Success bool `json:"success"`
	Data    struct {
		BaseCurrency string          `json:"baseCurrency"`
		Rates        map[string]Rate `json:"rates"`
		LastUpdated  Time            `json:"lastUpdated"`
		Source       string          `json:"source"` // "file", or "none" for the base alone
		Cached       bool            `json:"cached"`
	} `json:"data"`
}

// defaultBase is that of the original.
const defaultBase = "USD"

// NewRatesPage gives what is known of a base; "" is the original's. That a currency
// is worth itself is known at any time, now. Errors are models.Invalid.
func NewRatesPage(base string, rates *models.Rates, now time.Time) (p RatesPage, err error) {
	if base = models.CurrencyCode(base); base == "" {
		base = defaultBase
	}
	codes := rates.Codes(base)
	if _, supported := models.FindCurrency(base); !supported && len(codes) == 1 {
		return p, invalid("Invalid base currency code")
	}
	p.Success, p.Data.BaseCurrency, p.Data.Rates = true, base, make(map[string]Rate, len(codes))
	for _, code := range codes {
		rate, _ := rates.Rate(base, code)
		f, _ := rate.Float64()
		p.Data.Rates[code] = Rate(f)
	}
	p.Data.LastUpdated, p.Data.Source = Time(models.Millis(now)), "none"
	if len(codes) > 1 {
		p.Data.LastUpdated, p.Data.Source, p.Data.Cached = Time(rates.At), "file", true
	}
	return p, nil
}
