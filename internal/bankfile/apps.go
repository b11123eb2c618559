package bankfile

import (
	"slices"
	"strings"
)

// An app is a program whose export is known by its header.
type app struct {
	name   string
	header []string // names that its header has, as it writes them
	fields map[Field]string

	// neither are beginnings of cells of rows that are neither income nor expense, beside the types
	// of sideWords.
	neither map[Field][]string
}

var apps = []app{
	{
		"Firefly III",
		[]string{"source_name", "destination_name", "currency_code", "type", "amount", "date"},
		map[Field]string{
			Date: "date", Amount: "amount", Type: "type", Description: "description", Merchant: "destination_name",
			Category: "category", Notes: "notes", Tags: "tags", Account: "source_name", CurrencyField: "currency_code",
		},
		nil,
	},
	{
		"Actual",
		[]string{"Account", "Date", "Payee", "Notes", "Category", "Amount"},
		map[Field]string{
			Date: "Date", Amount: "Amount", Merchant: "Payee", Description: "Payee", Notes: "Notes", Category: "Category",
			Account: "Account",
		},
		map[Field][]string{Merchant: {"Starting Balance"}},
	},
	{
		"YNAB",
		[]string{"Account", "Date", "Payee", "Category Group", "Memo", "Outflow", "Inflow"},
		map[Field]string{
			Date: "Date", Debit: "Outflow", Credit: "Inflow", Merchant: "Payee", Description: "Payee", Notes: "Memo",
			Category: "Category", Account: "Account",
		},
		map[Field][]string{Merchant: {"Transfer : ", "Starting Balance"}},
	},
	{
		"Mint",
		[]string{"Date", "Description", "Amount", "Transaction Type", "Category", "Account Name"},
		map[Field]string{
			Date: "Date", Amount: "Amount", Type: "Transaction Type", Description: "Description", Category: "Category",
			Notes: "Notes", Tags: "Labels", Account: "Account Name",
		},
		map[Field][]string{Category: {"Transfer", "Credit Card Payment"}},
	},
	{
		"ezBookkeeping",
		[]string{"Time", "Type", "Category", "Sub Category", "Account", "Account Currency", "Amount"},
		map[Field]string{
			Date: "Time", Amount: "Amount", Type: "Type", Description: "Description", Category: "Sub Category", Tags: "Tags",
			Account: "Account", CurrencyField: "Account Currency",
		},
		nil,
	},
}

// columns returns the fields of a header of the program's; nil if it is not.
func (a *app) columns(names []string) Columns {
	at := map[string]int{}
	for i, n := range names {
		at[strings.ToLower(n)] = i + 1
	}
	for _, n := range a.header {
		if at[strings.ToLower(n)] == 0 {
			return nil
		}
	}
	fields := Columns{}
	for f, n := range a.fields {
		if i := at[strings.ToLower(n)]; i > 0 {
			fields[f] = i
		}
	}
	return fields
}

// leavesOut reports whether a row of the export of a program is neither income nor expense.
func leavesOut(name string, cell func(Field) string) bool {
	i := slices.IndexFunc(apps, func(a app) bool { return a.name == name })
	if i < 0 {
		return false
	}
	for f, beginnings := range apps[i].neither {
		if slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(cell(f), b) }) {
			return true
		}
	}
	return false
}

// A side is what the type of a row says of its amount.
type side int

const (
	unknownSide side = iota
	spent
	received
	neither // a transfer between own accounts, or a balance
)

// sideWords are types as files write them, in the form of plainWord.
var sideWords = map[side][]string{
	spent: {
		"debit", "dr", "d", "withdrawal", "expense", "expenses", "outflow", "out", "af", "soll", "s", "ausgang", "ausgabe", "depense",
		"gasto", "uscita", "despesa", "sale", "purchase", "payment", "lastschrift", "debet", "b", "支出", "kiadas", "wydatek", "cargo",
		"spent", "fee",
	},
	received: {
		"credit", "cr", "c", "deposit", "income", "inflow", "in", "bij", "haben", "h", "eingang", "einnahme", "recette", "ingreso",
		"entrata", "receita", "refund", "gutschrift", "kredit", "收入", "bevetel", "przychod", "abono", "received", "salary", "return",
	},
	neither: {
		"transfer", "openingbalance", "balancemodification", "reconciliation", "transferin", "transferout", "转账", "liabilitycredit",
	},
}

func sideOf(text string) side {
	plain := plainWord(text)
	for s, words := range sideWords {
		for _, w := range words {
			if plain == w {
				return s
			}
		}
	}
	return unknownSide
}
