package original

import (
	"errors"
	"slices"
	"strings"

	"expenseflow/internal/ledger"
	"expenseflow/internal/operator"
)

// A Report says what became of the documents of a dump.
type Report struct {
	Database    string           `json:"database"`
	DryRun      bool             `json:"dryRun"`
	Collections []*Collection    `json:"collections"` // those that have a place here, of the dump
	NotImported map[string]int64 `json:"notImported"` // documents of the other collections
	Sums        Sums             `json:"sums"`
}

// A Collection is the part of a Report about one collection. Skipped are documents that were left
// out, such as operations that were applied.
type Collection struct {
	Name string `json:"name"`
	ledger.ImportCounts

	Reasons       []*Group `json:"reasons,omitempty"`       // why documents were refused or left out
	Notes         []*Group `json:"notes,omitempty"`         // what was changed in documents that were imported
	UnknownFields []*Group `json:"unknownFields,omitempty"` // what has no place here, by name
}

// A Group is something that was said of several documents.
type Group struct {
	Text  string   `json:"text"`
	Count int64    `json:"count"`
	IDs   []string `json:"ids,omitempty"` // the first documents
}

// Bounds of a report: a dump decides how many different things there are to say.
const (
	maxGroups   = 40
	maxGroupIDs = 3
	maxTextLen  = 200 // bytes
)

const otherGroup = "and others"

func newReport(dryRun bool) *Report { return &Report{DryRun: dryRun, NotImported: map[string]int64{}} }

// order is that of collections in a report.
var order = []string{"users", "expenses", "budgets", "goals", "notifications", "notificationpreferences", "syncqueues"}

// begin prepares a report about one database.
func (r *Report) begin(database string, s survey) {
	r.Database = database
	for name, n := range s[database].documents {
		if !slices.Contains(order, name) {
			r.NotImported[name] = n
		}
	}
	for _, name := range order {
		if s[database].documents[name] > 0 {
			r.Collections = append(r.Collections, &Collection{Name: name})
		}
	}
}

// collection returns the part about a collection.
func (r *Report) collection(name string) *Collection {
	for _, c := range r.Collections {
		if c.Name == name {
			return c
		}
	}
	return &Collection{Name: name} // there is none in the dump
}

// count counts a document that was asked for.
func (c *Collection) count(id string, result operator.Imported) {
	if c.Add(result.Outcome); result.Reason != "" {
		group(&c.Reasons, result.Reason, id)
	}
}

// refuse counts a document that was not asked for.
func (c *Collection) refuse(id string, why error) {
	c.Add(ledger.ImportRefused)
	group(&c.Reasons, why.Error(), id)
}

// settle counts a document that no record could be made of.
func (c *Collection) settle(id string, why error) {
	var unneeded notNeeded
	if !errors.As(why, &unneeded) {
		c.refuse(id, why)
		return
	}
	c.Skip()
	group(&c.Reasons, why.Error(), id)
}

func (c *Collection) note(text string) { group(&c.Notes, text, "") }

// unknownField counts a field that has no place here, unless it says nothing.
func (c *Collection) unknownField(f field) {
	if !isEmpty(f.value) {
		group(&c.UnknownFields, f.name, "")
	}
}

// group counts a text in a list of groups.
func group(list *[]*Group, text, id string) {
	if len(text) > maxTextLen {
		text = strings.ToValidUTF8(text[:maxTextLen], "") + "..."
	}
	i := slices.IndexFunc(*list, func(g *Group) bool { return g.Text == text })
	if i < 0 && len(*list) >= maxGroups {
		text = otherGroup
		i = slices.IndexFunc(*list, func(g *Group) bool { return g.Text == text })
	}
	if i < 0 {
		i = len(*list)
		*list = append(*list, &Group{Text: text})
	}
	g := (*list)[i]
	if g.Count++; id != "" && len(g.IDs) < maxGroupIDs {
		g.IDs = append(g.IDs, id)
	}
}

// Incomplete reports whether something was refused, or is stored with another amount.
func (r *Report) Incomplete() bool {
	return r.Sums.Wrong > 0 || slices.ContainsFunc(r.Collections, func(c *Collection) bool { return c.Refused > 0 })
}
