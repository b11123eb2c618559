package original

import (
	"errors"
	"slices"
	"strings"

	"expenseflow/internal/ledger"
	"expenseflow/internal/operator"
)

// Sizes in records. Those of a user are applied together, and a dump has those of all users
// mixed, so many are gathered before some are sent.
const (
	maxGathered = 20_000
	maxSent     = 4_000
)

// A batch is records that wait to be sent, and those that have been sent and not answered:
// while whoever has the database applies these, the dump is read on.
type batch struct {
	*run
	waiting []pending
	sent    chan answered // has the answer of what was sent; nil if nothing was
}

// A pending record is one with where it is from.
type pending struct {
	account, id string
	collection  *Collection
	record      ledger.Record
}

// An answered request has what became of its records.
type answered struct {
	records []pending
	results []operator.Imported
	stored  []operator.StoredSum
	err     error
}

func (b *batch) add(account, id string, c *Collection, r ledger.Record) error {
	b.waiting = append(b.waiting, pending{account, id, c, r})
	if len(b.waiting) < maxGathered {
		return nil
	}
	return b.flush()
}

// flush sends what waits, those of one user in the order of the dump. The last of it may not be
// answered yet.
func (b *batch) flush() error {
	slices.SortStableFunc(b.waiting, func(x, y pending) int { return strings.Compare(x.account, y.account) })
	for some := range slices.Chunk(b.waiting, maxSent) {
		if err := b.await(); err != nil {
			return err
		}
		sent := make(chan answered, 1)
		b.sent = sent
		go func() {
			results, stored, err := b.apply(groups(some))
			sent <- answered{some, results, stored, err}
		}()
	}
	b.waiting = make([]pending, 0, maxGathered)
	return nil
}

// await waits for the answer of what was sent, and counts it.
func (b *batch) await() error {
	if b.sent == nil {
		return nil
	}
	answer := <-b.sent
	b.sent = nil
	if answer.err != nil {
		return answer.err
	}
	if len(answer.results) != len(answer.records) {
		return errors.New("the server answers what this version of the program does not know")
	}
	for i, result := range answer.results {
		p := &answer.records[i]
		p.collection.count(p.id, result)
		if p.record.Expense != nil && (!b.opts.DryRun || b.accounts.planned[p.account]) {
			b.sums.addDump(p.account, &p.record.Expense.Draft, result.Outcome)
		}
	}
	b.sums.addStored(answer.stored)
	return nil
}

// groups returns records by account; they are sorted by it.
func groups(all []pending) (list []operator.AccountRecords) {
	for _, p := range all {
		if n := len(list); n == 0 || list[n-1].Account != p.account {
			list = append(list, operator.AccountRecords{Account: p.account})
		}
		last := &list[len(list)-1]
		last.Records = append(last.Records, p.record)
	}
	return list
}

// apply asks for the records to be applied. A dry run asks what would be, and what belongs to
// accounts that it did not make goes into those of Options.Scratch.
func (b *batch) apply(list []operator.AccountRecords) (results []operator.Imported, stored []operator.StoredSum, err error) {
	if !b.opts.DryRun {
		answer, err := b.target.ImportRecords(b.ctx, operator.ImportRequest{Accounts: list})
		return answer.Results, answer.Stored, err
	}
	for _, of := range list {
		target, dry := b.target, true
		if b.accounts.planned[of.Account] || target == nil {
			target, dry = b.opts.Scratch, false
		}
		answer, err := target.ImportRecords(b.ctx, operator.ImportRequest{Accounts: []operator.AccountRecords{of}, DryRun: dry})
		if err != nil {
			return nil, nil, err
		}
		results, stored = append(results, answer.Results...), append(stored, answer.Stored...)
	}
	return results, stored, nil
}
