package wire

import (
	"encoding/json"
	"strconv"
	"time"

	"expenseflow/models"
)

// A CurrencyTotal is the total of the entries in another currency than the account's.
type CurrencyTotal struct {
	Currency  string          `json:"currency"`
	Income    Total           `json:"income"`
	Expense   Total           `json:"expense"`
	Balance   Total           `json:"balance"`
	Count     int64           `json:"count"`
	Converted *ConvertedTotal `json:"converted"` // null without a rate
}

// A ConvertedTotal is a CurrencyTotal converted to the account's currency. Each figure
// is converted separately and rounded to the currency's usual number of decimals.
type ConvertedTotal struct {
	Income  Total `json:"income"`
	Expense Total `json:"expense"`
	Balance Total `json:"balance"`
	Conversion
}

// A Conversion is the exchange rate of a converted figure.
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

// currencyTotals returns the documents of totals in other currencies than account's.
// The result is never nil, so that it is encoded as [].
func currencyTotals(totals []models.CurrencyTotal, account string, rates *models.Rates) []CurrencyTotal {
	docs := make([]CurrencyTotal, len(totals))
	for i, t := range totals {
		docs[i] = CurrencyTotal{
			t.Currency, Total(t.Income), Total(t.Expense), Total(t.Balance()), t.Count, converted(&t, account, rates),
		}
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

// A Rate is an exchange rate, written with twelve significant digits.
type Rate float64

// MarshalJSON returns the number in decimal notation, without an exponent.
func (r Rate) MarshalJSON() ([]byte, error) {
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(r), 'e', 11, 64), 64)
	return strconv.AppendFloat(nil, f, 'f', -1, 64), err
}

// A Currency is a currency that an account can have.
type Currency struct {
	Code     string `json:"code"`
	Name     string `json:"name"`
	Symbol   string `json:"symbol"`
	Decimals int    `json:"decimals"`
}

// A CurrenciesResponse is the response to GET /api/currency/supported.
type CurrenciesResponse struct {
	Success bool `json:"success"`
	Data    struct {
		Currencies []Currency `json:"currencies"`
	} `json:"data"`
}

// NewCurrenciesResponse returns the response with all of models.Currencies.
func NewCurrenciesResponse() (c CurrenciesResponse) {
	c.Success = true
	for _, known := range models.Currencies {
		c.Data.Currencies = append(c.Data.Currencies, Currency(known))
	}
	return c
}

// A CurrencyPreference is the response to GET /api/currency/preference.
type CurrencyPreference struct {
	Success bool `json:"success"`
	Data    struct {
		PreferredCurrency string `json:"preferredCurrency"`
	} `json:"data"`
}

// NewCurrencyPreference returns the response for u.
func NewCurrencyPreference(u *models.User) (p CurrencyPreference) {
	p.Success, p.Data.PreferredCurrency = true, u.Currency()
	return p
}

var errCurrency = invalid("Invalid currency code")

// ParseCurrencyPreference parses {currency}, the body of PUT /api/currency/preference. The error
// is models.Invalid with the original's message.
func ParseCurrencyPreference(body json.RawMessage) (models.SettingsPatch, Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return models.SettingsPatch{}, Meta{}, err
	}
	m, vs := readMeta(o)
	code := models.CurrencyCode(stringOf(o["currency"]))
	p := models.SettingsPatch{Currency: &code}
	if len(p.Check()) > 0 {
		return models.SettingsPatch{}, Meta{}, errCurrency
	}
	return p, m, joiError(vs)
}

// A RatesResponse is the response to GET /api/currency/rates: the units of each currency for
// one unit of the base.
type RatesResponse struct {
	Success bool `json:"success"`
	Data    struct {
		BaseCurrency string          `json:"baseCurrency"`
		Rates        map[string]Rate `json:"rates"`
		LastUpdated  Time            `json:"lastUpdated"`
		Source       string          `json:"source"` // "file", or "none" if there is only the base
		Cached       bool            `json:"cached"`
	} `json:"data"`
}

// defaultBase is the base of a request that names none.
const defaultBase = "USD"

// NewRatesResponse returns the rates of a base; "" is defaultBase. The rate of the base to
// itself is always known, with now as its time. The error is models.Invalid.
func NewRatesResponse(base string, rates *models.Rates, now time.Time) (p RatesResponse, err error) {
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
