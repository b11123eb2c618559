package mongodump

import (
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A kind is a format of files.
type kind int

const (
	kindUnknown kind = iota
	kindBSON         // documents of one collection, as in a folder of mongodump
	kindArchive
	kindJSON // documents of one collection, as of mongoexport
)

// A file is one file of a dump.
type file struct {
	path string
	kind kind
	gzip bool
	Namespace

	standardInput bool
}

// Options say how a dump is opened.
type Options struct {
	Stdin io.Reader // what the path "-" means

	// Spool is the folder for a copy of standard input, which is read more than once, "" for
	// the system's; MaxSpool is how many bytes that may have, 0 for 64 GiB.
	Spool    string
	MaxSpool int64
}

// Open finds out what paths hold: a folder of mongodump, archives, or files of one collection.
// The path "-" is an archive from standard input.
func Open(paths []string, o Options) (*Dump, error) {
	d := &Dump{}
	for _, path := range paths {
		if err := d.add(path, o); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

func (d *Dump) add(path string, o Options) error {
	if path == "-" {
		return d.addStdin(o)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file or folder %s", path)
	case err != nil:
		return err
	case info.IsDir():
		return d.addFolder(path)
	}
	return d.addFile(path)
}

// addFile adds a file that the caller named, which must be of a dump.
func (d *Dump) addFile(path string) error {
	f, err := recognize(path)
	if err != nil {
		return err
	}
	if f.kind == kindUnknown && !f.empty() {
		return fmt.Errorf("%s is nothing that mongodump or mongoexport wrote as BSON or JSON", filepath.Base(path))
	}
	if f.kind == kindBSON {
		f.Database = filepath.Base(filepath.Dir(path))
	}
	d.files = append(d.files, f)
	return nil
}

// addFolder adds the files of a folder of mongodump, which has a folder for each database, or
// of one of these folders.
func (d *Dump) addFolder(path string) error {
	before := len(d.files)
	if err := d.addFilesIn(path, true); err != nil {
		return err
	}
	if len(d.files) == before {
		return fmt.Errorf("the folder %s has no dump in it: no .bson and no .json file of a collection", path)
	}
	return nil
}

func (d *Dump) addFilesIn(path string, withFolders bool) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("the folder %s cannot be read: %w", path, err)
	}
	for _, e := range entries {
		inside := filepath.Join(path, e.Name())
		switch {
		case e.IsDir() && withFolders:
			err = d.addFilesIn(inside, false)
		case !e.IsDir() && ofCollection(inside):
			err = d.addFile(inside)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// extensions are those of files of one collection.
var extensions = []string{".bson", ".json", ".jsonl", ".ndjson"}

// ofCollection reports whether a file has the documents of a collection, by its name: not the
// indexes and options that mongodump writes beside them.
func ofCollection(path string) bool {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	if name == "prelude.json" || strings.HasSuffix(name, ".metadata.json") {
		return false
	}
	return slices.Contains(extensions, filepath.Ext(name))
}

// collectionOf returns the collection of a file by its name: users.bson.gz, users.json or
// expenseflow.users.json, as Compass and many scripts name it.
func collectionOf(path string) string {
	name := strings.TrimSuffix(filepath.Base(path), ".gz")
	ext := filepath.Ext(name)
	name = strings.TrimSuffix(name, ext)
	if plain, err := url.PathUnescape(name); err == nil { // mongodump escapes what files cannot have
		name = plain
	}
	if i := strings.LastIndexByte(name, '.'); ext != ".bson" && i >= 0 {
		name = name[i+1:]
	}
	return name
}

// sniffed is how many bytes a file is recognised by.
const sniffed = 512

// recognize finds out what a file is by its first bytes.
func recognize(path string) (file, error) {
	f := file{path: path, Namespace: Namespace{Collection: collectionOf(path)}}
	head, err := f.head()
	if err != nil {
		return f, f.explain(err)
	}
	if f.gzip = bytes.HasPrefix(head, []byte{0x1f, 0x8b}); f.gzip {
		if head, err = f.head(); err != nil {
			return f, f.explain(err)
		}
	}
	f.kind = kindOf(head)
	if len(head) == 0 { // an empty collection
		f.kind = map[bool]kind{true: kindBSON, false: kindJSON}[strings.Contains(filepath.Base(path), ".bson")]
	}
	return f, nil
}

func (f *file) head() ([]byte, error) {
	in, closeFile, err := f.open()
	if err != nil {
		return nil, err
	}
	head, err := in.Peek(sniffed)
	if errors.Is(err, io.EOF) || errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return bytes.Clone(head), errors.Join(err, closeFile())
}

func (f *file) empty() bool {
	info, err := os.Stat(f.path)
	return err == nil && info.Size() == 0
}

func kindOf(head []byte) kind {
	switch text := bytes.TrimLeft(bytes.TrimPrefix(head, byteOrderMark), " \t\r\n"); {
	case bytes.HasPrefix(head, archiveMagic):
		return kindArchive
	case looksLikeBSON(head):
		return kindBSON
	case len(text) > 0 && (text[0] == '{' || text[0] == '['):
		return kindJSON
	}
	return kindUnknown
}

// looksLikeBSON reports whether a file begins with a document: a length, and the type of a
// first field or the end.
func looksLikeBSON(head []byte) bool {
	if len(head) < minDocument {
		return false
	}
	size := binary.LittleEndian.Uint32(head)
	return size >= minDocument && size <= MaxDocument && (head[4] <= 0x13 || head[4] == 0x7f || head[4] == 0xff)
}

func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}
