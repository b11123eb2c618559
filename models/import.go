package models

import "time"

// An ImportState is how far an Import is.
type ImportState string

// The states of an import. One that was interrupted stays running; sending the same file again
// finishes it.
const (
	ImportRunning ImportState = "running"
	ImportDone    ImportState = "done"
	ImportUndone  ImportState = "undone" // what nobody had changed was deleted
)

// MaxImportName is the length of the name of an imported file, in UTF-16 units.
const MaxImportName = 100

// An Import is a file from which entities of a user were made: expenses of the rows of a table, or
// all kinds of them of the export of an account.
type Import struct {
	ID        string `gorm:"primaryKey"` // 24 hex digits
	UserID    string `gorm:"index:imports_user,priority:1"`
	Name      string // of the file
	Digest    string // names the file: SHA-256 in hex
	Source    string // what the file was, such as "csv" or "Firefly III"
	State     ImportState
	Created   int64     // entities
	Skipped   int64     // rows that were there already or look like an entry that is
	Refused   int64     // rows that are no entries
	Parked    int64     // rows that a rule refused, and that waited for the user's decision then
	Removed   int64     // entities that undoing deleted
	Kept      int64     // entities that undoing kept, because they had been changed
	Changed   int64     // entities and settings that were there and the file overwrote: undoing leaves them
	CreatedAt time.Time `gorm:"serializer:millis;index:imports_user,priority:2"`
	UpdatedAt time.Time `gorm:"serializer:millis;index:imports_age"`
}

// ImportSourceAccount is the Import.Source of the export of an account.
const ImportSourceAccount = "expenseflow"

// An ImportedKind is what an ImportedRow became.
type ImportedKind string

// The kinds of what imports make.
const (
	ImportedExpense      ImportedKind = ""
	ImportedBudget       ImportedKind = "budget"
	ImportedGoal         ImportedKind = "goal"
	ImportedComment      ImportedKind = "comment"
	ImportedNotification ImportedKind = "notification"
	ImportedOperation    ImportedKind = "operation" // parked
)

// An ImportedRow is a row of a file that became an entity, or was parked. Key names it in every
// file.
type ImportedRow struct {
	UserID    string `gorm:"primaryKey"`
	Key       string `gorm:"column:row_key;primaryKey;index:imported_rows_import,priority:2"`
	ImportID  string `gorm:"index:imported_rows_import,priority:1"`
	ExpenseID string // or the id of what Kind says; which may be deleted; "" if the row of a table was parked
	Kind      ImportedKind
	Version   int64     // of the entity when it was imported
	CreatedAt time.Time `gorm:"serializer:millis;index:imported_rows_age"`
}
