package original

import (
	"cmp"
	"maps"
	"slices"

	"expenseflow/internal/ledger"
	"expenseflow/internal/operator"
	"expenseflow/models"
)

// A sumKey is what amounts are added up by.
type sumKey struct {
	Account  string `json:"account"`
	Type     string `json:"type"`
	Category string `json:"category"`
	Currency string `json:"currency"`
}

// A sumPair is a sum in the dump and the one of the same expenses in the database.
type sumPair struct {
	dump, stored operator.CountedSum
}

type sums map[sumKey]*sumPair

func (s sums) of(k sumKey) *sumPair {
	p := s[k]
	if p == nil {
		p = &sumPair{}
		s[k] = p
	}
	return p
}

// addDump adds an expense of the dump, if what is stored must be equal to it.
func (s sums) addDump(account string, d *models.Draft, outcome ledger.ImportOutcome) {
	if outcome == ledger.ImportRefused || outcome == ledger.ImportKept {
		return
	}
	s.of(sumKey{account, d.Type, d.Category, models.CurrencyCode(d.Currency)}).dump.Add(d.Amount)
}

func (s sums) addStored(all []operator.StoredSum) {
	for _, stored := range all {
		s.of(sumKey{stored.Account, stored.Type, stored.Category, stored.Currency}).stored.Plus(stored.CountedSum)
	}
}

// Sums are the amounts that were compared.
type Sums struct {
	Expenses   int64      `json:"expenses"`             // whose amounts were added up
	Users      int        `json:"users"`                // that have some of them
	Categories int        `json:"categories"`           // sums that were compared: by user, type, category and currency
	Mismatches []Mismatch `json:"mismatches,omitempty"` // the first maxMismatches
	Wrong      int        `json:"wrong"`                // number of mismatches
}

// A Mismatch is a sum that differs.
type Mismatch struct {
	sumKey
	InDump      string `json:"inDump"`
	Stored      string `json:"stored"`
	CountInDump int64  `json:"countInDump"`
	CountStored int64  `json:"countStored"`
}

// maxMismatches bounds what is reported one by one.
const maxMismatches = 10

func (s sums) compare() (total Sums) {
	users := map[string]bool{}
	keys := slices.SortedFunc(maps.Keys(s), func(a, b sumKey) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Type, b.Type))
	})
	for _, k := range keys {
		p := s[k]
		users[k.Account] = true
		total.Expenses += p.dump.Count
		total.Categories++
		if p.dump == p.stored {
			continue
		}
		if total.Wrong++; total.Wrong <= maxMismatches {
			total.Mismatches = append(total.Mismatches,
				Mismatch{k, p.dump.Sum.String(), p.stored.Sum.String(), p.dump.Count, p.stored.Count})
		}
	}
	total.Users = len(users)
	return total
}
