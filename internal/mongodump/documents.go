package mongodump

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// Sizes of documents in bytes. Servers store at most 16 MiB, and tools allow as much more for
// what they add.
const (
	MaxDocument = 16<<20 + 16<<10
	minDocument = 5
)

// growth is how much memory is taken for a document before its bytes have arrived.
const growth = 64 << 10

// readDocument reads a document into buf, which it may replace. The error is io.EOF at the end
// of the file, and io.ErrUnexpectedEOF within a document.
func readDocument(in *bufio.Reader, buf []byte) ([]byte, error) {
	size, err := readLength(in)
	if err != nil {
		return buf, err
	}
	return readRest(in, buf, size)
}

// readLength reads the length of a document, or what stands in its place.
func readLength(in *bufio.Reader) (uint32, error) {
	var length [4]byte
	if _, err := io.ReadFull(in, length[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(length[:]), nil
}

// readRest reads a document whose length has been read.
func readRest(in *bufio.Reader, buf []byte, length uint32) ([]byte, error) {
	if length < minDocument || length > MaxDocument {
		return buf, damagedf("is damaged: a document claims to have %d bytes, and none has more than 16 MiB", length)
	}
	buf = binary.LittleEndian.AppendUint32(buf[:0], length)
	for size := int(length); len(buf) < size; {
		have := len(buf)
		buf = slices.Grow(buf, min(size-have, max(growth, have)))
		buf = buf[:min(size, cap(buf))]
		if _, err := io.ReadFull(in, buf[have:]); err != nil {
			return buf, unexpected(err)
		}
	}
	if buf[len(buf)-1] != 0 {
		return buf, damaged("is damaged: a document does not end where its length says")
	}
	return buf, nil
}

// unexpected returns io.ErrUnexpectedEOF for io.EOF.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// eachBSON reads the documents of one collection.
func eachBSON(in *bufio.Reader, ns Namespace, fn func(Document) error) error {
	var buf []byte
	for {
		var err error
		buf, err = readDocument(in, buf)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := fn(Document{ns, bson.Raw(buf)}); err != nil {
			return err
		}
	}
}
