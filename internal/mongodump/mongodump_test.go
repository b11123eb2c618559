package mongodump

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.mongodb.org/mongo-driver/v2/bson"

	"expenseflow/internal/mongodump/dumptest"
)

func all(Namespace) bool { return true }

// count returns how many documents of each collection a dump has.
func count(t *testing.T, d *Dump) (map[string]int, error) {
	t.Helper()
	n := map[string]int{}
	err := d.Each(all, func(doc Document) error {
		n[doc.Collection]++
		_, err := doc.Raw.Elements()
		return err
	})
	return n, err
}

// whole is what every form of the dump in testdata has.
var whole = map[string]int{
	"users": 3, "expenses": 47, "budgets": 3, "goals": 1, "notifications": 2, "notificationpreferences": 1, "syncqueues": 2,
	"receipts": 1, "workspaces": 1,
}

func TestEveryFormOfADumpIsRecognised(t *testing.T) {
	exported := map[string]int{
		"users": 3, "expenses": 47, "budgets": 3, "goals": 1, "notifications": 2, "notificationpreferences": 1, "syncqueues": 2,
	}
	for _, tt := range []struct {
		paths []string
		want  map[string]int
	}{
		{[]string{"folder"}, whole},
		{[]string{"folder/expenseflow"}, whole},
		{[]string{"folder-gzip"}, whole},
		{[]string{"dump.archive"}, whole},
		{[]string{"dump.archive.gz"}, whole},
		{[]string{"export"}, exported},
		{[]string{"array"}, map[string]int{"users": 3, "expenses": 47}},
		{
			[]string{"array/users.json", "export/expenseflow.expenses.json", "folder/expenseflow/goals.bson"},
			map[string]int{"users": 3, "expenses": 47, "goals": 1},
		},
		{[]string{"first-revision.archive"}, map[string]int{"users": 1, "expenses": 5, "syncqueues": 1}},
	} {
		paths := make([]string, len(tt.paths))
		for i, p := range tt.paths {
			paths[i] = filepath.Join("testdata", p)
		}
		d, err := Open(paths, Options{})
		if err != nil {
			t.Errorf("%v: %v", tt.paths, err)
			continue
		}
		got, err := count(t, d)
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got): %v\n%s", tt.paths, err, diff)
		}
	}
}

// The same document has the same content in each form.
func TestFormsSayTheSame(t *testing.T) {
	amounts := func(path string) (all []float64) {
		d, err := Open([]string{filepath.Join("testdata", path)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		only := func(ns Namespace) bool { return ns.Collection == "expenses" }
		if err := d.Each(only, func(doc Document) error {
			n, ok := doc.Raw.Lookup("amount").AsFloat64OK()
			if !ok || doc.Raw.Lookup("date").Type != bson.TypeDateTime || doc.Raw.Lookup("user").Type != bson.TypeObjectID {
				t.Fatalf("%s: %v", path, doc.Raw)
			}
			all = append(all, n)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return all
	}
	want := amounts("folder")
	for _, path := range []string{"folder-gzip", "dump.archive", "dump.archive.gz", "export", "array"} {
		if diff := cmp.Diff(want, amounts(path)); diff != "" {
			t.Errorf("%s (-folder +it):\n%s", path, diff)
		}
	}
}

func TestStandardInputIsReadAsOftenAsAFile(t *testing.T) {
	f, err := os.Open("testdata/dump.archive.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	dir := t.TempDir()
	d, err := Open([]string{"-"}, Options{Stdin: f, Spool: dir})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if got, err := count(t, d); err != nil || !cmp.Equal(got, whole) {
			t.Errorf("%v, %v", got, err)
		}
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left of standard input", left)
	}
}

func TestStandardInputIsBounded(t *testing.T) {
	dir := t.TempDir()
	_, err := Open([]string{"-"}, Options{Stdin: strings.NewReader("123456"), Spool: dir, MaxSpool: 5})
	if err == nil || !strings.Contains(err.Error(), "more than 5 bytes") {
		t.Errorf("six bytes: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left of standard input", left)
	}
}

func TestFunctionsErrorIsReturnedAsItIs(t *testing.T) {
	for _, path := range []string{"folder", "dump.archive", "export"} {
		d, err := Open([]string{filepath.Join("testdata", path)}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, own := range []error{io.EOF, io.ErrUnexpectedEOF, errors.New("mine")} {
			if err := d.Each(all, func(Document) error { return own }); err != own { //nolint:errorlint // the very same
				t.Errorf("%s: %v for %v", path, err, own)
			}
		}
	}
}

func archive(t *testing.T, documents int) []byte {
	t.Helper()
	var out bytes.Buffer
	a := dumptest.NewArchive(&out, "expenseflow", "users", "expenses")
	for i := range documents {
		a.Add("users", bson.D{{Key: "_id", Value: i}, {Key: "name", Value: "Ann"}})
		a.Add("expenses", bson.D{{Key: "_id", Value: i}, {Key: "amount", Value: 1.5}})
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCollectionsAlternateInArchives(t *testing.T) {
	n := map[string]int{}
	turns, last := 0, ""
	err := eachArchive(bufio.NewReader(bytes.NewReader(archive(t, 1000))), func(d Document) error {
		if n[d.Collection]++; d.Collection != last {
			turns, last = turns+1, d.Collection
		}
		return nil
	})
	if err != nil || n["users"] != 1000 || n["expenses"] != 1000 || turns != 20 {
		t.Errorf("%v in %d turns: %v", n, turns, err)
	}
}

// An archive that is cut off anywhere is not read as a shorter one.
func TestNoPartOfAnArchiveIsTakenForAll(t *testing.T) {
	full := archive(t, 3)
	ignore := func(Document) error { return nil }
	for n := range full {
		if err := eachArchive(bufio.NewReader(bytes.NewReader(full[:n])), ignore); err == nil {
			t.Fatalf("the first %d of %d bytes are an archive", n, len(full))
		}
	}
	if err := eachArchive(bufio.NewReader(bytes.NewReader(full)), ignore); err != nil {
		t.Error(err)
	}
}

// No byte of a document changes unnoticed.
func TestChangedBytesOfDocumentsAreNoticed(t *testing.T) {
	full := archive(t, 1)
	at := bytes.Index(full, []byte("Ann"))
	full[at] ^= 1
	err := eachArchive(bufio.NewReader(bytes.NewReader(full)), func(Document) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "checksum of the collection users is wrong") {
		t.Error(err)
	}
}

func TestBadFilesAreRefusedInASentence(t *testing.T) {
	document := func(v any) []byte {
		raw, err := bson.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	good := document(bson.D{{Key: "a", Value: 1}})
	lying := binary.LittleEndian.AppendUint32(nil, MaxDocument)
	lying = append(lying, 0x10, 'a', 0)
	var zipped bytes.Buffer
	zip := gzip.NewWriter(&zipped)
	_, _ = zip.Write(bytes.Repeat(good, 1000))
	_ = zip.Close()
	brokenZip := bytes.Clone(zipped.Bytes())
	brokenZip[len(brokenZip)-6] ^= 1 // its checksum
	wrong := archive(t, 2)
	wrong[bytes.Index(wrong, []byte("Ann"))] ^= 1

	for _, tt := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"users.bson", good[:len(good)-2], "users.bson is cut off: dump it again, or copy it again"},
		{"users.bson", append(bytes.Clone(good), 9, 0), "users.bson is cut off: dump it again, or copy it again"},
		{"users.bson", lying, "users.bson is cut off: dump it again, or copy it again"},
		{
			"users.bson", append(bytes.Clone(good), 0xff, 0xff, 0xff, 0x7f),
			"users.bson is damaged: a document claims to have 2147483647 bytes, and none has more than 16 MiB",
		},
		{"users.bson.gz", zipped.Bytes()[:zipped.Len()-9], "users.bson.gz is cut off: dump it again, or copy it again"},
		{"users.bson.gz", brokenZip, "users.bson.gz is damaged, its compression says so: dump it again, or copy it again"},
		{"dump", archive(t, 2)[:300], "dump is cut off: dump it again, or copy it again"},
		{"dump", wrong, "dump is damaged: the checksum of the collection users is wrong. Dump it again, or copy it again"},
		{"users.json", []byte(`{"a":1}` + "\n" + `{"a":`), "users.json is cut off: dump it again, or copy it again"},
		{"users.json", []byte(`[{"a":1},`), "users.json is cut off: dump it again, or copy it again"},
		{"users.json", []byte(`{"a":1}` + "\n" + `{"a":{"$oid":"x"}}`), "users.json has no extended JSON in line 2: export it with mongoexport"},
		{"users.json", []byte(`{"a":1} nonsense`), `users.json has 'n' in line 1 where a document should begin: export it as JSON with mongoexport`},
		{"users.json", []byte(strings.Repeat(`{"a":`, 300)), "users.json has a document in line 1 that nests deeper than MongoDB allows"},
		{"users.csv", []byte("_id,name\n1,Ann\n"), "users.csv is nothing that mongodump or mongoexport wrote as BSON or JSON"},
		{"notes.txt", []byte("hello"), "notes.txt is nothing that mongodump or mongoexport wrote as BSON or JSON"},
	} {
		path := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(path, tt.content, 0o600); err != nil {
			t.Fatal(err)
		}
		d, err := Open([]string{path}, Options{})
		if err == nil {
			_, err = count(t, d)
		}
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v\nwant %s", tt.name, err, tt.want)
		}
	}
}

func TestPathsWithoutADumpAreRefused(t *testing.T) {
	empty := t.TempDir()
	for path, want := range map[string]string{
		empty:                        "has no dump in it",
		filepath.Join(empty, "gone"): "there is no file or folder",
	} {
		if _, err := Open([]string{path}, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want: %s", err, want)
		}
	}
}

// A length that lies must not make the program take memory for it.
func TestLyingLengthTakesNoMemory(t *testing.T) {
	claims := binary.LittleEndian.AppendUint32(nil, MaxDocument)
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_, _ = readDocument(bufio.NewReaderSize(bytes.NewReader(claims), 16), nil)
		}
	})
	if got := result.AllocedBytesPerOp(); got > 4*growth {
		t.Errorf("%d bytes were taken for four", got)
	}
}

func TestNamesOfFilesNameCollections(t *testing.T) {
	for name, want := range map[string]string{
		"users.bson": "users", "users.bson.gz": "users", "expenseflow.users.json": "users", "users.jsonl": "users",
		"a%2Fb.bson": "a/b", "with.dots.bson": "with.dots",
	} {
		if got := collectionOf(name); got != want {
			t.Errorf("collectionOf(%s) = %s", name, got)
		}
	}
}

func FuzzArchive(f *testing.F) {
	seed, err := os.ReadFile("testdata/first-revision.archive")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = eachArchive(bufio.NewReader(bytes.NewReader(data)), func(d Document) error {
			_, err := d.Raw.Elements()
			return err
		})
	})
}

func FuzzBSON(f *testing.F) {
	seed, err := os.ReadFile("testdata/folder/expenseflow/goals.bson")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(_ *testing.T, data []byte) {
		_ = eachBSON(bufio.NewReader(bytes.NewReader(data)), Namespace{}, func(d Document) error {
			_, err := d.Raw.Elements()
			return err
		})
	})
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"_id":{"$oid":"6971e713f86bfaf28c5d840d"},"amount":{"$numberDouble":"NaN"},"s":"\u00e4\"}"}` + "\n{}"))
	f.Add([]byte(`[{"date":{"$date":{"$numberLong":"-1"}}},{"d":{"$numberDecimal":"1E3"}}]`))
	f.Add(append(bytes.Clone(byteOrderMark), `{"a":[1,{"b":null}]}`...))
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = eachJSON(bufio.NewReader(bytes.NewReader(data)), Namespace{}, func(d Document) error {
			if _, err := d.Raw.Elements(); err != nil {
				return fmt.Errorf("what the driver made of JSON is no BSON: %w", err)
			}
			return nil
		})
	})
}
