package rows

import (
	"bytes"
	"database/sql"
	"fmt"
	"reflect"

	"gorm.io/gorm/schema"
)

// Each calls fn with each row of a result, scanned into a T: a struct with GORM's tags, by
// the columns' names, or a single value. It closes the result. A row that cannot be scanned
// and an error of fn end it.
//
// It reads what gorm.DB.ScanRows and Find read, but looks the columns up once for a result
// and scans into the fields themselves: 1,000 expenses take 7 to 12 ms instead of 32 and 26,
// with half of the allocations. The log is read for every event, and lists are long.
func Each[T any](found *sql.Rows, fn func(T) error) error { return EachOf[T](found, fn) }

// A Result is the rows that a statement returned: of database/sql, or of a driver.
type Result interface {
	Columns() ([]string, error)
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close() error
}

// EachOf is Each for any result.
func EachOf[T any](found Result, fn func(T) error) error {
	defer found.Close()
	s, err := newScanner[T](found)
	if err != nil {
		return err
	}
	for found.Next() {
		var row T
		if err := s.scan(found, &row); err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return found.Err()
}

// A scanner scans the rows of one result.
type scanner[T any] struct {
	fields []*schema.Field // by column; nil for one that the struct does not have
	dest   []any
	cells  []cell
}

func newScanner[T any](found Result) (*scanner[T], error) {
	var row T
	t := reflect.TypeOf(row)
	if t.Kind() != reflect.Struct {
		return &scanner[T]{}, nil
	}
	columns, err := found.Columns()
	s := &scanner[T]{
		fields: make([]*schema.Field, len(columns)), dest: make([]any, len(columns)), cells: make([]cell, len(columns)),
	}
	for i, name := range columns {
		s.fields[i] = Of(row).schema.LookUpField(name)
	}
	return s, err
}

func (s *scanner[T]) scan(from Result, row *T) error {
	if s.fields == nil {
		return from.Scan(row)
	}
	v := reflect.ValueOf(row).Elem()
	for i, f := range s.fields {
		switch {
		case f == nil:
			s.dest[i] = new(any)
		case f.Serializer == nil:
			s.dest[i] = f.ReflectValueOf(ctx, v).Addr().Interface()
		default:
			s.cells[i] = cell{f.Serializer.(serializer), f.ReflectValueOf(ctx, v)}
			s.dest[i] = &s.cells[i]
		}
	}
	return from.Scan(s.dest...)
}

// A cell is a field that a serializer reads.
type cell struct {
	by serializer
	to reflect.Value
}

// Scan implements sql.Scanner.
func (c *cell) Scan(column any) error { return c.by.decode(c.to, column) }

// Raw calls fn with the values of each row of a result with all columns of the table, as
// Values returns them. It closes the result.
func (t *Table) Raw(found *sql.Rows, fn func([]any) error) error {
	defer found.Close()
	for found.Next() {
		values, dest := make([]any, len(t.Columns)), make([]any, len(t.Columns))
		for i, c := range t.Columns {
			dest[i] = rawCell{c.Kind, &values[i]}
		}
		if err := found.Scan(dest...); err != nil {
			return err
		}
		if err := fn(values); err != nil {
			return err
		}
	}
	return found.Err()
}

// A rawCell is where a column of a kind is put.
type rawCell struct {
	kind Kind
	to   *any
}

// Scan implements sql.Scanner.
func (c rawCell) Scan(column any) (err error) {
	switch c.kind {
	case Text:
		*c.to, err = text(column)
	case Bytes:
		b, ok := column.([]byte)
		if !ok {
			return fmt.Errorf("%T are no bytes", column)
		}
		*c.to = bytes.Clone(b)
	case NullableInteger:
		if column == nil {
			*c.to = (*int64)(nil)
			return nil
		}
		n, failed := integer(column)
		*c.to, err = &n, failed
	default:
		*c.to, err = integer(column)
	}
	return err
}
