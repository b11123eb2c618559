// Package models holds the domain types: users, expenses, money, queued operations,
// changes and errors.
//
// The types contain no JSON names of requests and responses (see internal/wire). The tags
// of types that are rows of a table are the table's only definition: `gorm` names columns,
// indexes and how a field is stored (see internal/store/rows), `log` the names in the
// stored change log (see internal/store/record). Rules that need no database live here:
// the exact arithmetic of Money, the validation of a Draft, the fields that a Patch may
// change.
package models
