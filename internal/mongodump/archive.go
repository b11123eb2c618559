package mongodump

import (
	"bufio"
	"errors"
	"hash/crc64"
	"io"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// An archive is the magic number; a prelude, which is a document about the dump and one about
// each collection; and blocks, each a header that names a collection, documents of it, and a
// terminator. Blocks of collections alternate. The last block of a collection has no documents,
// and the checksum of all of them in its header.
var (
	archiveMagic = []byte{0x6d, 0xe2, 0x99, 0x81}
	checksums    = crc64.MakeTable(crc64.ECMA)
)

// terminator stands in the place of a document's length.
const terminator = 0xffffffff

// maxCollections bounds what an archive may make this program remember.
const maxCollections = 100_000

// An archiveReader reads an archive and remembers what is missing at its end.
type archiveReader struct {
	in  *bufio.Reader
	buf []byte
	fn  func(Document) error

	promised map[Namespace]bool   // by the prelude, whether it has not been seen yet
	sums     map[Namespace]uint64 // of the collections that have begun and not ended
	ended    map[Namespace]bool
}

// eachArchive reads the documents of all collections of an archive.
func eachArchive(in *bufio.Reader, fn func(Document) error) error {
	a := &archiveReader{
		in: in, fn: fn,
		promised: map[Namespace]bool{}, sums: map[Namespace]uint64{}, ended: map[Namespace]bool{},
	}
	var magic [4]byte
	if _, err := io.ReadFull(in, magic[:]); err != nil {
		return unexpected(err)
	}
	if [4]byte(archiveMagic) != magic {
		return damaged("does not begin as an archive")
	}
	if err := a.prelude(); err != nil {
		return unexpected(err)
	}
	for {
		switch err := a.block(); {
		case errors.Is(err, io.EOF):
			return a.complete()
		case err != nil:
			return err
		}
	}
}

// next reads a document, or a terminator, for which it returns nil.
func (a *archiveReader) next() (bson.Raw, error) {
	length, err := readLength(a.in)
	if err != nil || length == terminator {
		return nil, err
	}
	a.buf, err = readRest(a.in, a.buf, length)
	return bson.Raw(a.buf), err
}

// prelude notes which collections the archive promises.
func (a *archiveReader) prelude() error {
	if head, err := a.next(); err != nil || head == nil {
		return errors.Join(err, a.noHeader(head))
	}
	for {
		about, err := a.next()
		if err != nil || about == nil {
			return err
		}
		ns, known := namespaceOf(about)
		kind, _ := about.Lookup("type").StringValueOK()
		if !known {
			return damaged("is damaged: the list of its collections cannot be read")
		}
		if kind == "" || kind == "collection" { // views and time series have their documents elsewhere
			a.promised[ns] = true
		}
		if len(a.promised) > maxCollections {
			return damaged("has more collections than a dump of ExpenseFlow can have")
		}
	}
}

func (*archiveReader) noHeader(head bson.Raw) error {
	if head != nil {
		return nil
	}
	return damaged("is damaged: a part of it has no head")
}

func namespaceOf(d bson.Raw) (ns Namespace, ok bool) {
	db, _ := d.Lookup("db").StringValueOK()
	collection, ok := d.Lookup("collection").StringValueOK()
	return Namespace{db, collection}, ok && collection != ""
}

// block reads one block. The error is io.EOF if the archive ends instead.
func (a *archiveReader) block() error {
	head, err := a.next()
	if err != nil {
		return err
	}
	if head == nil {
		return a.noHeader(head)
	}
	ns, ok := namespaceOf(head)
	if !ok || a.ended[ns] || len(a.sums)+len(a.ended) > maxCollections {
		return damaged("is damaged: the head of a part of it makes no sense")
	}
	delete(a.promised, ns)
	if end, _ := head.Lookup("EOF").BooleanOK(); end {
		sum, _ := head.Lookup("CRC").Int64OK()
		return a.end(ns, uint64(sum))
	}
	return unexpected(a.documents(ns))
}

// end is the last block of a collection.
func (a *archiveReader) end(ns Namespace, sum uint64) error {
	if a.sums[ns] != sum {
		return damagedf("is damaged: the checksum of the collection %s is wrong. Dump it again, or copy it again", ns.Collection)
	}
	delete(a.sums, ns)
	a.ended[ns] = true
	switch rest, err := a.next(); {
	case err != nil:
		return unexpected(err)
	case rest != nil:
		return damaged("is damaged: a collection has documents behind its end")
	}
	return nil
}

// documents reads those of a block.
func (a *archiveReader) documents(ns Namespace) error {
	sum := a.sums[ns]
	for {
		d, err := a.next()
		if err != nil {
			return err
		}
		if d == nil {
			a.sums[ns] = sum
			return nil
		}
		sum = crc64.Update(sum, checksums, d)
		if err := a.fn(Document{ns, d}); err != nil {
			return err
		}
	}
}

// complete reports whether every collection has ended.
func (a *archiveReader) complete() error {
	for ns := range a.sums {
		return damagedf("is cut off: the collection %s has no end. Dump it again, or copy it again", ns.Collection)
	}
	for ns := range a.promised {
		return damagedf("is cut off: the collection %s is missing. Dump it again, or copy it again", ns.Collection)
	}
	return nil
}
