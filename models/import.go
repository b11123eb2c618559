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

// An Import is a file whose rows became expenses of a user.
type Import struct {
	ID        string `gorm:"primaryKey"` // 24 hex digits
	UserID    string `gorm:"index:imports_user,priority:1"`
	Name      string // of the file
	Digest    string // SHA-256 of the file, in hex
	Source    string // what the file was, such as "csv" or "Firefly III"
	State     ImportState
	Created   int64     // expenses
	Skipped   int64     // rows that were there already or look like an entry that is
	Refused   int64     // rows that are no entries
	Parked    int64     // rows that a rule refused, and that waited for the user's decision then
	Removed   int64     // expenses that undoing deleted
	Kept      int64     // expenses that undoing kept, because they had been changed
	CreatedAt time.Time `gorm:"serializer:millis;index:imports_user,priority:2"`
	UpdatedAt time.Time `gorm:"serializer:millis;index:imports_age"`
}

// An ImportedRow is a row of a file that became an expense, or was parked. Key names it in every
// file.
type ImportedRow struct {
	UserID    string    `gorm:"primaryKey"`
	Key       string    `gorm:"column:row_key;primaryKey;index:imported_rows_import,priority:2"`
	ImportID  string    `gorm:"index:imported_rows_import,priority:1"`
	ExpenseID string    // which may be deleted; "" if the row was parked
	CreatedAt time.Time `gorm:"serializer:millis;index:imported_rows_age"`
}
