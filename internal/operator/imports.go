package operator

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"golang.org/x/sync/errgroup"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Imported is what became of an account or a record.
type Imported struct {
	Outcome ledger.ImportOutcome `json:"outcome"`
	ID      string               `json:"id,omitempty"`     // under which it is stored
	Reason  string               `json:"reason,omitempty"` // a sentence, if it was refused
}

// An accountsRequest asks for accounts to be imported.
type accountsRequest struct {
	Accounts []ledger.AccountRecord `json:"accounts"`
	DryRun   bool                   `json:"dryRun"`
}

// An ImportRequest asks for records of several accounts to be imported.
type ImportRequest struct {
	Accounts []AccountRecords `json:"accounts"`
	DryRun   bool             `json:"dryRun"`
}

// AccountRecords are records of one account.
type AccountRecords struct {
	Account string          `json:"account"`
	Records []ledger.Record `json:"records"`
}

// An ImportAnswer has what became of each record, in the order of the request, and the sums of
// those expenses as they are in the database now; none after a dry run.
type ImportAnswer struct {
	Results []Imported  `json:"results"`
	Stored  []StoredSum `json:"stored"`
}

// A StoredSum is the sum of some of the account's expenses.
type StoredSum struct {
	Account  string `json:"account"`
	Type     string `json:"type"`
	Category string `json:"category"`
	Currency string `json:"currency"`
	CountedSum
}

// A CountedSum is a sum and the number of its terms.
type CountedSum struct {
	Count int64      `json:"count"`
	Sum   models.Sum `json:"sum"`
}

// Add adds one term.
func (s *CountedSum) Add(m models.Money) { s.Count, s.Sum = s.Count+1, s.Sum.Add(m) }

// Plus adds the terms of another.
func (s *CountedSum) Plus(o CountedSum) { s.Count, s.Sum = s.Count+o.Count, s.Sum.Plus(o.Sum) }

// ReasonNoAccount is why records of an account are refused that is not here.
const ReasonNoAccount = "Its user is neither in the dump nor here"

// maxImport bounds a request to import.
const maxImport = 256 << 20

// importers is how many accounts are imported into at once: together they wait for the disk
// once.
const importers = 8

func decodeImport[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxImport)).Decode(&v); err != nil {
		return v, &models.Error{Kind: models.Invalid, Msg: "The request is not the JSON of this version of the program", Err: err}
	}
	return v, nil
}

// importAccounts makes accounts, one after the other: of two with one address, the first is made.
func (h *handler) importAccounts(w http.ResponseWriter, r *http.Request) error {
	body, err := decodeImport[accountsRequest](w, r)
	if err != nil {
		return err
	}
	results := make([]Imported, len(body.Accounts))
	for i := range body.Accounts {
		result, err := h.Ledger.ImportAccount(r.Context(), body.Accounts[i], body.DryRun)
		if err != nil {
			return err
		}
		if results[i] = imported(result); result.Outcome == ledger.ImportNew && !body.DryRun {
			h.Logger.InfoContext(r.Context(), "an operator imported an account", slog.String("user_id", result.ID))
		}
	}
	return answer(w, results)
}

func imported(r ledger.ImportResult) Imported {
	switch {
	case errors.Is(r.Err, ledger.ErrDeletedHere):
		return Imported{Outcome: ledger.ImportKept}
	case r.Outcome == ledger.ImportRefused:
		return Imported{Outcome: r.Outcome, Reason: wire.NewErrorBody(r.Err).Error}
	}
	return Imported{Outcome: r.Outcome, ID: r.ID}
}

// importRecords imports records into accounts that are here.
func (h *handler) importRecords(w http.ResponseWriter, r *http.Request) error {
	body, err := decodeImport[ImportRequest](w, r)
	if err != nil {
		return err
	}
	results := make([][]Imported, len(body.Accounts))
	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(importers)
	for i := range body.Accounts {
		g.Go(func() (err error) {
			results[i], err = h.importInto(ctx, &body.Accounts[i], body.DryRun)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	out := ImportAnswer{Results: slices.Concat(results...)}
	if !body.DryRun {
		if out.Stored, err = h.storedSums(r.Context(), &body, out.Results); err != nil {
			return err
		}
	}
	return answer(w, out)
}

// importInto imports the records of one account.
func (h *handler) importInto(ctx context.Context, of *AccountRecords, dryRun bool) ([]Imported, error) {
	// Nobody else made what is imported, so every device hears of it.
	into := h.Ledger.Import(of.Account, ledger.ImportOptions{KeepIDs: true, SkipDeleted: true, DryRun: dryRun})
	results, err := into.Apply(ctx, of.Records)
	all := make([]Imported, len(of.Records))
	switch {
	case models.KindOf(err) == models.NotFound:
		for i := range all {
			all[i] = Imported{Outcome: ledger.ImportRefused, Reason: ReasonNoAccount}
		}
		return all, nil
	case err != nil:
		return nil, err
	}
	for i := range results {
		all[i] = imported(results[i])
	}
	return all, nil
}

// storedSums reads the expenses back that were imported or were here already.
func (h *handler) storedSums(ctx context.Context, body *ImportRequest, results []Imported) ([]StoredSum, error) {
	var ids []string
	i := 0
	for _, of := range body.Accounts {
		for j := range of.Records {
			if of.Records[j].Expense != nil && results[i].Outcome != ledger.ImportKept && results[i].ID != "" {
				ids = append(ids, results[i].ID)
			}
			i++
		}
	}
	sums := map[StoredSum]*CountedSum{}
	for some := range slices.Chunk(ids, ledger.ImportChunk) {
		found, err := h.Store.ExpenseAmounts(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			k := StoredSum{Account: e.UserID, Type: e.Type, Category: e.Category, Currency: e.Currency}
			if sums[k] == nil {
				sums[k] = &CountedSum{}
			}
			sums[k].Add(e.Amount)
		}
	}
	all := make([]StoredSum, 0, len(sums))
	for k, s := range sums {
		k.CountedSum = *s
		all = append(all, k)
	}
	return all, nil
}

// ImportAccounts imports accounts and returns what became of each.
func (c *Client) ImportAccounts(ctx context.Context, accounts []ledger.AccountRecord, dryRun bool) ([]Imported, error) {
	return call[[]Imported](ctx, c, http.MethodPost, "/import/accounts", accountsRequest{accounts, dryRun})
}

// ImportRecords imports records into accounts.
func (c *Client) ImportRecords(ctx context.Context, r ImportRequest) (ImportAnswer, error) {
	return call[ImportAnswer](ctx, c, http.MethodPost, "/import/records", r)
}
