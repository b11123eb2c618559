// Package dumptest writes dumps as mongodump does, for tests and measurements.
package dumptest

import (
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"io"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// segment is how many documents a block of an archive has: few, so that collections alternate.
const segment = 100

// An Archive is an archive that is being written. Its errors are those of Close.
type Archive struct {
	out     io.Writer
	db      string
	names   []string
	waiting map[string][]byte // documents of the block that is not written yet
	count   map[string]int
	sums    map[string]uint64
	err     error
}

// NewArchive begins an archive of one database with these collections.
func NewArchive(out io.Writer, db string, collections ...string) *Archive {
	a := &Archive{
		out: out, db: db, names: collections,
		waiting: map[string][]byte{}, count: map[string]int{}, sums: map[string]uint64{},
	}
	a.write([]byte{0x6d, 0xe2, 0x99, 0x81})
	a.document(bson.D{
		{Key: "concurrent_collections", Value: int32(4)},
		{Key: "version", Value: "0.1"},
		{Key: "server_version", Value: "7.0.0"},
		{Key: "tool_version", Value: "100.9.0"},
	})
	for _, c := range collections {
		a.document(bson.D{
			{Key: "db", Value: db},
			{Key: "collection", Value: c},
			{Key: "metadata", Value: "{}"},
			{Key: "size", Value: int32(0)},
			{Key: "type", Value: "collection"},
		})
	}
	a.terminate()
	return a
}

// Add adds a document to a collection.
func (a *Archive) Add(collection string, document any) {
	raw, err := bson.Marshal(document)
	if err != nil {
		a.err = err
		return
	}
	a.waiting[collection] = append(a.waiting[collection], raw...)
	if a.count[collection]++; a.count[collection]%segment == 0 {
		a.flush(collection)
	}
}

// Close writes what is left and the ends of the collections.
func (a *Archive) Close() error {
	for _, c := range a.names {
		a.flush(c)
	}
	for _, c := range a.names {
		a.header(c, true, a.sums[c])
		a.terminate()
	}
	return a.err
}

func (a *Archive) flush(collection string) {
	documents := a.waiting[collection]
	if len(documents) == 0 {
		return
	}
	a.header(collection, false, 0)
	a.write(documents)
	a.terminate()
	a.sums[collection] = crc64.Update(a.sums[collection], crc64.MakeTable(crc64.ECMA), documents)
	a.waiting[collection] = documents[:0]
}

func (a *Archive) header(collection string, end bool, sum uint64) {
	if !slices.Contains(a.names, collection) {
		a.err = fmt.Errorf("the archive does not announce the collection %s", collection)
	}
	a.document(bson.D{
		{Key: "db", Value: a.db}, {Key: "collection", Value: collection}, {Key: "EOF", Value: end}, {Key: "CRC", Value: int64(sum)},
	})
}

func (a *Archive) terminate() { a.write(binary.LittleEndian.AppendUint32(nil, 0xffffffff)) }

func (a *Archive) document(d bson.D) {
	raw, err := bson.Marshal(d)
	if err != nil {
		a.err = err
	}
	a.write(raw)
}

func (a *Archive) write(b []byte) {
	if a.err == nil {
		_, a.err = a.out.Write(b)
	}
}
