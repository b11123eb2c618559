package portable

import (
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// record takes an element, and applies those that wait when they fill a chunk.
func (i *importer) record(section string, r ledger.Record, unreadable error) error {
	if section != i.section {
		if err := i.flush(); err != nil {
			return err
		}
		i.section, i.number = section, 0
	}
	i.number++
	if unreadable == nil {
		unreadable = i.adapt(&r)
	}
	switch {
	case unreadable != nil:
		i.add(ledger.ImportResult{Outcome: ledger.ImportRefused, Err: unreadable}, i.number, "")
		return nil
	case r == ledger.Record{}:
		i.skipped(section)
		return nil
	}
	i.pending, i.numbers = append(i.pending, r), append(i.numbers, i.number)
	if len(i.pending) < ledger.ImportChunk {
		return nil
	}
	return i.flush()
}

var errOtherCurrency = models.E(models.Invalid, "Its amount is in the currency of the file's account, not this one's")

// adapt changes a record to the account that it goes to. A record that is not to be imported
// becomes empty.
func (i *importer) adapt(r *ledger.Record) error {
	switch {
	case r.Expense != nil && r.Expense.Draft.Currency == "":
		r.Expense.Draft.Currency = i.foreign
	case r.Budget != nil && i.foreign != "":
		return errOtherCurrency
	case r.Comment != nil && r.Comment.UserID != i.fileUser:
		*r = ledger.Record{}
	case r.Operation != nil && !i.own:
		r.Operation.Key = ""
	}
	return nil
}

// flush applies what waits.
func (i *importer) flush() error {
	if len(i.pending) == 0 {
		return nil
	}
	results, err := i.apply()
	for n, result := range results {
		i.add(result, i.numbers[n], i.pending[n].SourceID())
	}
	i.pending, i.numbers = i.pending[:0], i.numbers[:0]
	i.tell(false)
	return err
}

func (i *importer) apply() ([]ledger.ImportResult, error) {
	if i.to == nil {
		return slices.Repeat([]ledger.ImportResult{{Outcome: ledger.ImportNew}}, len(i.pending)), nil
	}
	return i.to.Apply(i.ctx, i.pending)
}

// add counts a result.
func (i *importer) add(r ledger.ImportResult, number int64, id string) {
	i.summary.count(i.section).Add(r.Outcome)
	if r.Outcome == ledger.ImportRefused && len(i.summary.Refusals) < maxRefusals {
		i.summary.Refusals = append(i.summary.Refusals, Refusal{i.section, number, clip(id), wire.NewErrorBody(r.Err).Error})
	}
}
