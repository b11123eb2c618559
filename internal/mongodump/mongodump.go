// Package mongodump reads what MongoDB's tools write: folders and archives of mongodump, plain
// or compressed with gzip, and JSON files of mongoexport.
//
// What it promises:
//
//   - A file is recognised by its first bytes, not by its name. The name only says which
//     collection a file of one collection holds.
//   - Documents are read one after the other: memory does not grow with the dump. No length in
//     a file is believed: memory is taken as bytes arrive, at most MaxDocument for a document.
//   - A dump that is cut off or damaged is an error, never a shorter dump. Archives say where
//     each collection ends and what its checksum is (CRC-64/ECMA), gzip has a checksum of its
//     own, and JSON has its brackets. BSON files without gzip have nothing of the kind: what is
//     missing there behind a whole document cannot be known.
//   - An error is one sentence that says what to do.
//
// It knows nothing of what documents mean.
package mongodump

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// A Namespace is where documents come from. Database is "" for files of mongoexport, which do
// not say it.
type Namespace struct{ Database, Collection string }

// A Document is one document. It is valid until the next one is read. Its length and last byte
// have been checked, and nothing else: bson.Raw.Elements reports what is not BSON.
type Document struct {
	Namespace
	Raw bson.Raw
}

// A Dump is a dump that has been found, or several files of one.
type Dump struct {
	files   []file
	spooled string // the file that holds standard input; "" for none
}

// Each calls fn with every document of the collections that want returns true for, which is
// asked once or more for each. An archive, which mixes collections, is read to its end in any
// case, and its checksums with it; files of other collections are not opened. It may be called
// as often as needed. An error of fn ends it and is returned as it is.
func (d *Dump) Each(want func(Namespace) bool, fn func(Document) error) error {
	for _, f := range d.files {
		if f.kind != kindArchive && !want(f.Namespace) {
			continue
		}
		if err := f.each(want, fn); err != nil {
			return err
		}
	}
	return nil
}

// Close removes the copy of standard input, if there is one.
func (d *Dump) Close() error {
	if d.spooled == "" {
		return nil
	}
	return os.Remove(d.spooled)
}

// readBuffer is how much of a file is read at once.
const readBuffer = 256 << 10

// open returns the content of the file, uncompressed.
func (f *file) open() (in *bufio.Reader, closeFile func() error, err error) {
	opened, err := os.Open(f.path)
	if err != nil {
		return nil, nil, err
	}
	in = bufio.NewReaderSize(opened, readBuffer)
	if f.gzip {
		zip, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, errors.Join(err, opened.Close())
		}
		in = bufio.NewReaderSize(zip, readBuffer)
	}
	return in, opened.Close, nil
}

// fnError is an error of the caller's function, which passes through unchanged.
type fnError struct{ error }

func (f *file) each(want func(Namespace) bool, fn func(Document) error) error {
	in, closeFile, err := f.open()
	if err != nil {
		return f.explain(err)
	}
	defer func() { _ = closeFile() }() // nothing was written
	err = readers[f.kind](in, f.Namespace, func(d Document) error {
		if !want(d.Namespace) {
			return nil
		}
		if err := fn(d); err != nil {
			return fnError{err}
		}
		return nil
	})
	var passed fnError
	if errors.As(err, &passed) {
		return passed.error
	}
	return f.explain(err)
}

// readers read files of each kind.
var readers = map[kind]func(*bufio.Reader, Namespace, func(Document) error) error{
	kindBSON: eachBSON, kindJSON: eachJSON,
	kindArchive: func(in *bufio.Reader, _ Namespace, fn func(Document) error) error { return eachArchive(in, fn) },
}

// A DamageError is of a file that is not what a tool wrote.
type DamageError struct {
	File string // without its folder
	What string // what is wrong, behind the name of the file
}

func (e *DamageError) Error() string { return e.File + " " + e.What }

// explain returns an error as a sentence about the file.
func (f *file) explain(err error) error {
	name := filepath.Base(f.path)
	if f.standardInput {
		name = "standard input"
	}
	var damage damaged
	switch {
	case err == nil:
		return nil
	case errors.As(err, &damage):
		return &DamageError{name, string(damage)}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return &DamageError{name, "is cut off: dump it again, or copy it again"}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader), isCorrupt(err):
		return &DamageError{name, "is damaged, its compression says so: dump it again, or copy it again"}
	}
	return fmt.Errorf("%s cannot be read: %w", name, err)
}

// damaged says what is wrong with a file, behind its name.
type damaged string

func (d damaged) Error() string { return string(d) }

func damagedf(format string, args ...any) error { return damaged(fmt.Sprintf(format, args...)) }
