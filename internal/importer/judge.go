package importer

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// judge finds the duplicates among rows that are new so far.
func (r *run) judge(ctx context.Context, in store.Imports, rows []*row) error {
	known, err := r.known(ctx, in, rows)
	if err != nil {
		return err
	}
	like, err := r.lookalikes(ctx, in, rows)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if row.status == wire.RowNew {
			r.judgeRow(row, known, like)
		}
	}
	return nil
}

func (r *run) judgeRow(row *row, known map[string]knownRow, like []models.Expense) {
	if row.forced {
		row.key = r.forcedKey(row.base)
	}
	row.operation, row.own = known[row.base].operation, known[row.base].importID == r.imp.ID
	switch k := known[row.key]; {
	case k.alive:
		row.duplicate(k.expenseID, "It was imported before")
	case k.expenseID != "" && !row.forced:
		row.duplicate("", "It was imported before and deleted since")
	case k.expenseID != "":
		row.duplicate("", "It was imported before, by this choice, and deleted since")
	case k.discarded():
		row.duplicate("", "It was imported before, and the change that was not accepted was discarded since")
	case !row.forced && row.broken == "":
		r.compare(row, like)
	}
}

// forcedKey names a duplicate that is imported nevertheless: once for each file, however often
// that is sent.
func (r *run) forcedKey(base string) string { return "forced" + ledger.HashKey(base, r.imp.Digest) }

// A knownRow is a row that was imported or parked before.
type knownRow struct {
	importID  string
	expenseID string // "" if it did not become one
	alive     bool
	operation *models.QueuedOperation // as which it was parked; nil if it was not
}

func (k *knownRow) discarded() bool {
	return k.operation != nil && k.operation.State == models.Discarded
}

// known returns what is known of rows, by their keys.
func (r *run) known(ctx context.Context, in store.Imports, rows []*row) (map[string]knownRow, error) {
	var keys, ids []string
	for _, row := range rows {
		if row.status == wire.RowNew {
			keys = append(keys, row.base, r.forcedKey(row.base))
		}
	}
	found, err := in.ImportedRows(ctx, r.user.ID, keys)
	if err != nil {
		return nil, err
	}
	operations, err := r.operations(ctx, in, rows)
	if err != nil || len(found)+len(operations) == 0 {
		return nil, err
	}
	known := make(map[string]knownRow, len(found)+len(operations))
	for _, f := range found {
		known[f.Key] = knownRow{importID: f.ImportID, expenseID: f.ExpenseID}
	}
	for key, q := range operations {
		k := known[key]
		if k.operation = &q; k.expenseID == "" && q.Result.Expense != nil {
			k.expenseID = q.Result.Expense.ID // the user has retried it
		}
		known[key] = k
	}
	for _, k := range known {
		ids = append(ids, k.expenseID)
	}
	existing, err := in.ExistingExpenses(ctx, ids)
	for key, k := range known {
		k.alive = k.expenseID != "" && slices.Contains(existing, k.expenseID)
		known[key] = k
	}
	return known, err
}

// maxLike bounds the entries that the rows of one chunk and time are compared with; those of all
// times are less than twice as many. maxCompared bounds those of its day and amount whose texts
// a row is compared with, for each takes time, and others wait for the transaction meanwhile.
const (
	maxLike     = 5000
	maxCompared = 100
)

// maxGap is how many days apart rows are read about together.
const maxGap = 7

// lookalikes returns the entries of the days of rows that have one of their amounts.
func (r *run) lookalikes(ctx context.Context, in store.Imports, rows []*row) ([]models.Expense, error) {
	var days []models.Day
	var amounts []models.Money
	for _, row := range rows {
		if row.status == wire.RowNew && !row.forced && row.broken == "" {
			days, amounts = append(days, row.Day), append(amounts, row.draft.Amount)
		}
	}
	slices.Sort(days)
	slices.Sort(amounts)
	days, amounts = slices.Compact(days), slices.Compact(amounts)
	var all []models.Expense
	for len(days) > 0 && len(all) < maxLike {
		n := 1
		for n < len(days) && days[n]-days[n-1] <= maxGap {
			n++
		}
		from, to := models.TimeRange(days[0], days[n-1])
		found, err := in.ExpensesBetween(ctx, r.user.ID, from, to, amounts, maxLike)
		if err != nil {
			return nil, err
		}
		all, days = append(all, found...), days[n:]
	}
	return all, nil
}

// compare marks a row that looks like an entry that no other row stands for.
func (r *run) compare(row *row, entries []models.Expense) {
	compared := 0
	for i := range entries {
		e := &entries[i]
		if r.own[e.ID] || r.used[e.ID] || e.Day != row.Day || e.Amount != row.draft.Amount || e.Type != row.draft.Type {
			continue
		}
		if compared++; compared > maxCompared {
			return
		}
		currency := e.Currency
		if currency == r.user.Currency() {
			currency = ""
		}
		if currency == row.draft.Currency && similar(e, &row.draft) {
			r.used[e.ID], r.usedNow = true, append(r.usedNow, e.ID)
			row.duplicate(e.ID, "It looks like an entry of this day and amount: "+e.Description)
			return
		}
	}
}

// similar reports whether the texts of an entry and of a row have a word in common, or one has
// none.
func similar(e *models.Expense, d *models.Draft) bool {
	here, there := words(e.Description+" "+e.Merchant+" "+e.Notes), words(d.Description+" "+d.Merchant+" "+d.Notes)
	if len(here) == 0 || len(there) == 0 {
		return true
	}
	return slices.ContainsFunc(here, func(w string) bool { return slices.Contains(there, w) })
}

// minWord is how many letters a word has that says something.
const minWord = 3

func words(s string) (list []string) {
	for w := range strings.FieldsFuncSeq(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) }) {
		if len(w) >= minWord {
			list = append(list, w)
		}
	}
	return list
}
