package portable

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// csvHeader are the columns of CSV. The amount is negative for what was spent.
var csvHeader = []string{
	"date", "description", "category", "type", "amount", "currency", "merchant", "notes", "tags", "time", "created", "updated", "id",
}

// CSV writes the user's own expenses to w, newest first, as RFC 4180 in UTF-8 with a header:
// lines end in CR LF. date is the day of the entry in the account's zone, the currency of one
// that names none is the account's, tags are separated by a semicolon. A text that a
// spreadsheet would take for a formula gets an apostrophe in front. Errors are as for JSON.
func (x *Exporter) CSV(ctx context.Context, userID string, w io.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	err := x.Store.ViewAccount(ctx, userID, func(v *store.AccountView) error {
		if err := out.Write(csvHeader); err != nil {
			return err
		}
		u := v.User()
		return v.EachExpense(func(e models.Expense, _ []models.Share) error { return out.Write(csvRow(&e, u.Currency())) })
	})
	if err == nil {
		out.Flush()
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("export expenses: %w", err)
	}
	return nil
}

func csvRow(e *models.Expense, currency string) []string {
	if e.Currency != "" {
		currency = e.Currency
	}
	signed := e.Amount
	if e.Type == "expense" {
		signed = -signed
	}
	return []string{
		e.Day.String(), plainText(e.Description), plainText(e.Category), e.Type, signed.String(), currency, plainText(e.Merchant),
		plainText(e.Notes), plainText(strings.Join(e.Tags.List(), ";")), e.Date.UTC().Format(stampLayout),
		e.CreatedAt.UTC().Format(stampLayout), e.UpdatedAt.UTC().Format(stampLayout), e.ID,
	}
}

// plainText returns a text that a spreadsheet takes for a text: what begins a formula gets an
// apostrophe in front.
func plainText(s string) string {
	if first, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) && s != "" {
		return "'" + s
	}
	return s
}
