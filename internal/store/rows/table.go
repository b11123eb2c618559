// Package rows maps structs to rows of tables. The tags of a struct are the only
// definition of its table: GORM parses them, and what this package gives for statements
// that GORM does not build (columns, values, scanning) comes from GORM's parsed schema.
package rows

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"gorm.io/gorm/schema"
)

// A Kind is what a column holds. More are not needed: times and amounts are integers,
// which compare and order the same in both databases.
type Kind uint8

// The kinds of column.
const (
	Text            Kind = iota // string
	Integer                     // int64
	NullableInteger             // *int64
	Bytes                       // []byte
	TransactionID               // xid8 of PostgreSQL alone, never written by this program
)

// A Column is one column of a table.
type Column struct {
	Name string
	Kind Kind
	Key  bool // part of the primary key

	index []int                   // of the field
	value func(reflect.Value) any // of the field
}

// A Table is what GORM knows of the table of a struct.
type Table struct {
	Name    string
	Columns []Column // those that are written, in the order of the struct's fields
	Indexes []Index  // the secondary ones
	names   string
	schema  *schema.Schema

	statements sync.Map // statementKey to string
}

// A statementKey identifies a statement about a table: who writes it, and what it ends in.
type statementKey struct{ by, clause string }

var (
	tables  sync.Map   // reflect.Type to *Table
	parsing sync.Mutex // GORM's schemas are changed while their indexes are parsed
	schemas sync.Map   // GORM's cache
)

// Of returns the table of the struct type of row, which may be a pointer. Tags that cannot
// be parsed are a mistake of this program: it panics.
func Of(row any) *Table {
	t := reflect.TypeOf(row)
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if table, ok := tables.Load(t); ok {
		return table.(*Table)
	}
	parsing.Lock()
	defer parsing.Unlock()
	table, _ := tables.LoadOrStore(t, parse(t))
	return table.(*Table)
}

func parse(t reflect.Type) *Table {
	parsed, err := schema.Parse(reflect.New(t).Interface(), &schemas, schema.NamingStrategy{})
	if err != nil {
		panic(fmt.Sprintf("the table of %s: %v", t, err))
	}
	table := &Table{Name: parsed.Table, Indexes: indexesOf(parsed), schema: parsed}
	for _, f := range parsed.Fields {
		if f.DBName != "" && f.Creatable {
			kind := kindOf(f)
			table.Columns = append(table.Columns, Column{f.DBName, kind, f.PrimaryKey, f.StructField.Index, valueOf(f, kind)})
		}
	}
	table.names = table.Each(func(_ int, c Column) string { return c.Name })
	return table
}

func kindOf(f *schema.Field) Kind {
	if s, ok := f.Serializer.(serializer); ok {
		return s.kind
	}
	switch {
	case f.DataType == schema.String:
		return Text
	case f.DataType == schema.Bytes:
		return Bytes
	case f.DataType == schema.Int && f.FieldType.Kind() == reflect.Pointer:
		return NullableInteger
	case f.DataType == schema.Int:
		return Integer
	}
	panic(fmt.Sprintf("no column holds field %s of %s", f.Name, f.Schema.Name))
}

// Each joins one piece of SQL for each column.
func (t *Table) Each(piece func(i int, c Column) string) string {
	pieces := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		pieces[i] = piece(i, c)
	}
	return strings.Join(pieces, ", ")
}

// Statement returns the text that build returned when it was first called with this by and
// clause: statements are written for each transaction, and their texts do not change.
func (t *Table) Statement(by, clause string, build func() string) string {
	key := statementKey{by, clause}
	if text, ok := t.statements.Load(key); ok {
		return text.(string)
	}
	text, _ := t.statements.LoadOrStore(key, build())
	return text.(string)
}

// Names are the columns' names.
func (t *Table) Names() string { return t.names }

// NamesOf are the columns' names, each qualified with an alias of the table.
func (t *Table) NamesOf(alias string) string {
	return t.Each(func(_ int, c Column) string { return alias + "." + c.Name })
}

// Part returns the table with those of its columns alone.
func (t *Table) Part(names ...string) *Table {
	part := &Table{Name: t.Name, schema: t.schema}
	for _, c := range t.Columns {
		if slices.Contains(names, c.Name) {
			part.Columns = append(part.Columns, c)
		}
	}
	part.names = part.Each(func(_ int, c Column) string { return c.Name })
	return part
}

// KeyColumns are the columns of the primary key.
func (t *Table) KeyColumns() (names []string) {
	for _, c := range t.Columns {
		if c.Key {
			names = append(names, c.Name)
		}
	}
	return names
}

// Key is the list of the columns of the primary key.
func (t *Table) Key() string { return strings.Join(t.KeyColumns(), ", ") }

// An Index is a secondary index.
type Index struct {
	Name    string
	Unique  bool
	Columns []string
}

func indexesOf(s *schema.Schema) (all []Index) {
	for _, parsed := range s.ParseIndexes() {
		index := Index{Name: parsed.Name, Unique: parsed.Class == "UNIQUE"}
		for _, f := range parsed.Fields {
			index.Columns = append(index.Columns, f.DBName)
		}
		all = append(all, index)
	}
	return all
}

// Values are what row, a struct or a pointer to one, has in the columns: strings, int64,
// *int64 and []byte.
func (t *Table) Values(row any) []any {
	v := reflect.Indirect(reflect.ValueOf(row))
	values := make([]any, len(t.Columns))
	for i := range t.Columns {
		values[i] = t.Columns[i].value(v.FieldByIndex(t.Columns[i].index))
	}
	return values
}

// valueOf returns what gets a column's value out of its field.
func valueOf(f *schema.Field, kind Kind) func(reflect.Value) any {
	if s, ok := f.Serializer.(serializer); ok {
		return s.encode
	}
	switch kind {
	case Text:
		return func(v reflect.Value) any { return v.String() }
	case Integer:
		return func(v reflect.Value) any { return v.Int() }
	}
	return reflect.Value.Interface
}

// New returns a pointer to a new, zero row.
func (t *Table) New() any { return reflect.New(t.schema.ModelType).Interface() }
