package original

import (
	"fmt"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/mongodump"
)

// A survey is what a dump has, found by reading all of it once.
type survey map[string]*databaseSurvey

// A databaseSurvey is what the dump has of one database.
type databaseSurvey struct {
	documents map[string]int64 // by collection
	addresses int64            // users with an address
	expenses  int64            // expenses with the fields of one
}

// systemDatabases are MongoDB's own.
var systemDatabases = []string{"admin", "config", "local"}

func notOfMongoDB(ns mongodump.Namespace) bool {
	return !slices.Contains(systemDatabases, ns.Database) && !strings.HasPrefix(ns.Collection, "system.")
}

// survey reads the whole dump, which shows whether it is whole, and counts.
func (r *run) survey() (survey, error) {
	s, n := survey{}, int64(0)
	err := r.dump.Each(notOfMongoDB, func(doc mongodump.Document) error {
		s.add(doc)
		if n++; n%10_000 == 0 {
			r.tell(n, 0)
		}
		return r.ctx.Err()
	})
	return s, err
}

func (s survey) add(doc mongodump.Document) {
	db := s[doc.Database]
	if db == nil {
		db = &databaseSurvey{documents: map[string]int64{}}
		s[doc.Database] = db
	}
	db.documents[doc.Collection]++
	switch doc.Collection {
	case "users":
		if email, ok := doc.Raw.Lookup("email").StringValueOK(); ok && strings.Contains(email, "@") {
			db.addresses++
		}
	case "expenses":
		if isExpense(doc.Raw) {
			db.expenses++
		}
	}
}

// isExpense reports whether a document has most of the fields of an expense.
func isExpense(raw bson.Raw) bool {
	n := 0
	for _, name := range []string{"user", "amount", "description", "category", "type"} {
		if !raw.Lookup(name).IsZero() {
			n++
		}
	}
	return n > 2
}

// isOriginal reports whether a database is one of the original: its users have addresses, its
// expenses the fields of expenses, and it has the one or the other.
func (d *databaseSurvey) isOriginal() bool {
	users, expenses := d.documents["users"], d.documents["expenses"]
	return users+expenses > 0 && (users == 0 || d.addresses > 0) && (expenses == 0 || d.expenses > 0)
}

// choose returns the database to import.
func (s survey) choose(named string) (string, error) {
	var originals []string
	for name, db := range s {
		if db.isOriginal() {
			originals = append(originals, name)
		}
	}
	slices.Sort(originals)
	switch {
	case len(s) == 0:
		return "", problem("The dump has no documents")
	case named != "" && !slices.Contains(originals, named):
		return "", problemf("The dump has no database %s of ExpenseFlow: it has %s", named, s.contents())
	case named != "":
		return named, nil
	case len(originals) == 0:
		return "", problemf("This is no dump of ExpenseFlow, whose users have an email and whose expenses have an amount and "+
			"a user. It has %s", s.contents())
	case len(originals) > 1:
		return "", problemf("The dump has several databases of ExpenseFlow: choose one of them with --db (%s)",
			strings.Join(originals, ", "))
	}
	return originals[0], nil
}

// maxListed is how many names a sentence lists.
const maxListed = 8

// contents lists the collections of a dump.
func (s survey) contents() string {
	var names []string
	for name, db := range s {
		for collection, n := range db.documents {
			names = append(names, fmt.Sprintf("%s (%d)", strings.TrimPrefix(name+"."+collection, "."), n))
		}
	}
	slices.Sort(names)
	if len(names) > maxListed {
		names = append(names[:maxListed], fmt.Sprintf("and %d more", len(names)-maxListed))
	}
	return strings.Join(names, ", ")
}

// documents returns how many documents of a database are read to be imported.
func (s survey) documents(database string) (n int64) {
	for collection, count := range s[database].documents {
		if collection == "users" || mappers[collection] != nil {
			n += count
		}
	}
	return n
}
