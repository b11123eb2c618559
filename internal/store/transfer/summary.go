package transfer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"expenseflow/internal/store"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/internal/store/schema"
	"expenseflow/models"
)

// A Summary is what a database holds at one moment, in so few words that a copy can be
// compared with it.
type Summary struct {
	Schema int64            `json:"schema"` // the version of the schema
	Rows   map[string]int64 `json:"rows"`   // by table, without the tables of running processes
	Heads  string           `json:"heads"`  // Heads of the users
}

// Users is how many accounts there are, and Expenses how many expenses.
func (m Summary) Users() int64 { return m.Rows[rows.Of(models.User{}).Name] }

// Expenses is described with Users.
func (m Summary) Expenses() int64 { return m.Rows[rows.Of(models.Expense{}).Name] }

// Difference says in a few words what differs in a copy that should have the same; "" if
// nothing does.
func (m Summary) Difference(from Summary) string {
	if m.Schema != from.Schema {
		return fmt.Sprintf("its schema is of version %d instead of %d", from.Schema, m.Schema)
	}
	for _, row := range store.Tables() {
		if name := rows.Of(row).Name; m.Rows[name] != from.Rows[name] {
			return fmt.Sprintf("it has %d rows of %s instead of %d", from.Rows[name], name, m.Rows[name])
		}
	}
	if m.Heads != from.Heads {
		return "the change logs of its users end elsewhere"
	}
	return ""
}

// Heads is where the change log of each user begins and ends: the SHA-256 of each, added bit by
// bit, so that the order of users does not matter.
type Heads [sha256.Size]byte

// Add adds a user, with the numbers as text.
func (h *Heads) Add(id, logStart, seq string) {
	for i, b := range sha256.Sum256([]byte(id + " " + logStart + " " + seq)) {
		h[i] ^= b
	}
}

// String returns the sum in hex.
func (h *Heads) String() string { return hex.EncodeToString(h[:]) }

// TableNames are the tables that every database has, without those of running processes.
func TableNames() (names []string) {
	for _, row := range store.Tables() {
		names = append(names, rows.Of(row).Name)
	}
	return names
}

// summary reads the Summary of the snapshot. A database of an older version lacks tables.
func (v *snapshot) summary() (m Summary, err error) {
	m.Rows = map[string]int64{}
	m.Schema, err = find.One[int64](v.db.Table(store.VersionTable).Select("COALESCE(MAX(version_id), 0)"))
	if err != nil {
		return m, err
	}
	for _, name := range TableNames() {
		columns, err := schema.Describe(v.db, v.s.Database(), name)
		if err == nil && len(columns) > 0 {
			m.Rows[name], err = find.One[int64](v.db.Table(name).Select("COUNT(*)"))
		}
		if err != nil {
			return m, err
		}
	}
	type head struct {
		ID            string
		LogStart, Seq int64
	}
	var heads Heads
	err = find.Each(v.db.Table("users").Select("id, log_start, seq"), func(u head) error {
		heads.Add(u.ID, fmt.Sprint(u.LogStart), fmt.Sprint(u.Seq))
		return nil
	})
	m.Heads = heads.String()
	return m, err
}
