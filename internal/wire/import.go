package wire

import (
	"time"

	"expenseflow/models"
)

// An Import is an import in responses. The numbers are of rows of the file, Removed and Kept of
// what undoing deleted and kept; Changed is what the file overwrote, which undoing leaves.
type Import struct {
	ID         string             `json:"id"`
	Name       string             `json:"name"`
	Source     string             `json:"source"`
	State      models.ImportState `json:"state"`
	Created    int64              `json:"created"`
	Duplicates int64              `json:"duplicates"`
	Refused    int64              `json:"refused"`
	Parked     int64              `json:"parked"`
	Removed    int64              `json:"removed"`
	Kept       int64              `json:"kept"`
	Changed    int64              `json:"changed"`
	CreatedAt  Time               `json:"createdAt"`
}

// NewImport returns the response for an import.
func NewImport(i models.Import) Import {
	return Import{
		i.ID, i.Name, i.Source, i.State, i.Created, i.Skipped, i.Refused, i.Parked, i.Removed, i.Kept, i.Changed, Time(i.CreatedAt),
	}
}

// NewImports returns the response for the user's imports.
func NewImports(all []models.Import) any {
	list := make([]Import, len(all))
	for i := range all {
		list[i] = NewImport(all[i])
	}
	return struct {
		Imports []Import `json:"imports"`
	}{list}
}

// The outcomes of rows of an imported file. A refused one cannot be read; one that a rule
// refuses is parked.
const (
	RowNew       = "new"
	RowDuplicate = "duplicate"
	RowRefused   = "refused"
	RowParked    = "parked"
)

// An ImportRow is a row of an imported file in responses. Line is where it begins in the file,
// from 1; in OFX it is the number of the transaction.
type ImportRow struct {
	Line        int      `json:"line"`
	Status      string   `json:"status"`             // RowNew, RowDuplicate, RowRefused or RowParked
	Reason      string   `json:"reason,omitempty"`   // why it is not new, a sentence
	Existing    string   `json:"existing,omitempty"` // of a duplicate: the id of the entry, if there is one
	Date        string   `json:"date,omitempty"`     // YYYY-MM-DD
	Amount      Amount   `json:"amount"`
	Type        string   `json:"type,omitempty"`
	Currency    string   `json:"currency,omitempty"` // absent: the account's
	Description string   `json:"description,omitempty"`
	Merchant    string   `json:"merchant,omitempty"`
	Category    string   `json:"category,omitempty"`
	Notes       string   `json:"notes,omitempty"`
	Tags        []string `json:"tags,omitempty"`
}

// An ImportTotals counts the rows of an imported file.
type ImportTotals struct {
	Rows       int64 `json:"rows"`
	New        int64 `json:"new"`
	Duplicates int64 `json:"duplicates"`
	Refused    int64 `json:"refused"`
	Parked     int64 `json:"parked"`
}

// An ImportPreview is the response to POST /api/import?dryRun=1: how the file is read, and what
// would become of its rows. Rows has the first rows and, as far as there is room, all that are not
// new; Totals counts all.
type ImportPreview struct {
	Source    string           `json:"source"`
	Mapping   ImportMapping    `json:"mapping"`
	Columns   []ImportColumn   `json:"columns"`
	Questions []ImportQuestion `json:"questions"` // what the file does not say
	Totals    ImportTotals     `json:"totals"`
	Rows      []ImportRow      `json:"rows"`
}

// An ImportMapping is how a file is read, in the words of the query parameters.
type ImportMapping struct {
	Delimiter string         `json:"delimiter,omitempty"`
	Encoding  string         `json:"encoding"`
	Decimal   string         `json:"decimal,omitempty"`
	Dates     string         `json:"dates,omitempty"`
	Sign      string         `json:"sign,omitempty"`
	Header    string         `json:"header,omitempty"`
	Currency  string         `json:"currency,omitempty"`
	Columns   map[string]int `json:"columns"`
}

// An ImportColumn is a column of a table.
type ImportColumn struct {
	Name   string `json:"name"`
	Sample string `json:"sample"`
}

// An ImportQuestion is what the user has to decide: a query parameter, and a sentence.
type ImportQuestion struct {
	Parameter string `json:"parameter"`
	Question  string `json:"question"`
}

// An ImportResult is the response to POST /api/import.
type ImportResult struct {
	Import *Import      `json:"import"` // null if no row became an entry or was parked
	Totals ImportTotals `json:"totals"`
	Rows   []ImportRow  `json:"rows"` // those that are not new, as many as there is room for
}

// An ImportProgress is the payload of import_progress.
type ImportProgress struct {
	Name  string `json:"name"`
	Rows  int64  `json:"rows"`  // that are done
	Total int64  `json:"total"` // 0 if it is not known
	Done  bool   `json:"done"`

	Parked int64 `json:"parked,omitempty"` // of Rows
	Undo   bool  `json:"undo,omitempty"`   // entries of an import are being deleted
}

// progressEvery is the least time between two ImportProgress of one import.
const progressEvery = 250 * time.Millisecond

// Sender returns what sends p with how many rows are done, and how many of them were parked: not
// more often than devices can use it, and always at the end.
func (p ImportProgress) Sender(send func(ImportProgress)) func(rows, parked int64, done bool) {
	var last time.Time
	return func(rows, parked int64, done bool) {
		if now := time.Now(); done || now.Sub(last) >= progressEvery {
			last, p.Rows, p.Parked, p.Done = now, rows, parked, done
			send(p)
		}
	}
}
