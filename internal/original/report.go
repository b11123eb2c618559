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
	Database    string
	DryRun      bool
	Collections []*Collection    // those that have a place here, of the dump
	NotImported map[string]int64 // documents of the other collections
	Sums        Sums
}

// A Collection is the part of a Report about one collection. Read is the sum of the others.
type Collection struct {
	Name                                    string
	Read, New, Same, Changed, Kept, Refused int64
	NotNeeded                               int64 // left out, such as operations that were applied

	Reasons       []*Group `json:",omitempty"` // why documents were refused or left out
	Notes         []*Group `json:",omitempty"` // what was changed in documents that were imported
	UnknownFields []*Group `json:",omitempty"` // what has no place here, by name
}

// A Group is something that was said of several documents.
type Group struct {
	Text  string
	Count int64
	IDs   []string `json:",omitempty"` // the first documents
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
	c.Read++
	switch result.Outcome {
	case ledger.ImportNew:
		c.New++
	case ledger.ImportSame:
		c.Same++
	case ledger.ImportChanged:
		c.Changed++
	case ledger.ImportKept:
		c.Kept++
	default:
		c.Refused++
		group(&c.Reasons, result.Reason, id)
	}
}

// refuse counts a document that was not asked for.
func (c *Collection) refuse(id string, why error) {
	c.Read++
	c.Refused++
	group(&c.Reasons, why.Error(), id)
}

// settle counts a document that no record could be made of.
func (c *Collection) settle(id string, why error) {
	var unneeded notNeeded
	if !errors.As(why, &unneeded) {
		c.refuse(id, why)
		return
	}
	c.Read++
	c.NotNeeded++
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
