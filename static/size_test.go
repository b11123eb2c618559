package static_test

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"image/png"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"expenseflow/static"
)

// budgetBytes bounds what a browser loads to show the page for the first time, in bytes of gzip.
const budgetBytes = 130 << 10

// sizesFile has the sizes as they were recorded last, to say which file has grown.
const sizesFile = "testdata/sizes.txt"

var record = flag.Bool("record-sizes", false, "record the present sizes of the page's files")

// The page opens quickly on a slow line: its files stay within budgetBytes.
func TestPageStaysWithinItsBudget(t *testing.T) {
	sizes, total := compressedSizes(t), 0
	for _, size := range sizes {
		total += size
	}
	if *record {
		recordSizes(t, sizes)
	}
	t.Logf("the page has %d bytes of gzip, of %d", total, budgetBytes)
	if total > budgetBytes {
		t.Errorf("the page has %d bytes of gzip, more than %d; since the sizes were recorded, these have grown:\n%s",
			total, budgetBytes, growth(sizes, recordedSizes(t)))
	}
}

func compressedSizes(t *testing.T) map[string]int {
	t.Helper()
	sizes := map[string]int{}
	err := fs.WalkDir(static.Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && static.IsLoaded(name) {
			sizes[name] = compressed(t, read(t, name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

func compressed(t *testing.T, text string) int {
	t.Helper()
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

// growth lists what each file has gained, the most first.
func growth(now, before map[string]int) string {
	names := slices.SortedFunc(maps.Keys(now), func(a, b string) int {
		return cmp.Compare(now[b]-before[b], now[a]-before[a])
	})
	var lines strings.Builder
	for _, name := range names {
		if gained := now[name] - before[name]; gained > 0 {
			fmt.Fprintf(&lines, "%+6d %s (%d)\n", gained, name, now[name])
		}
	}
	return lines.String()
}

func TestGrowthNamesWhatGrewTheMostFirst(t *testing.T) {
	got := growth(map[string]int{"a": 10, "b": 30, "c": 5}, map[string]int{"a": 4, "c": 9})
	if want := "   +30 b (30)\n    +6 a (10)\n"; got != want {
		t.Errorf("growth is %q, want %q", got, want)
	}
}

func recordedSizes(t *testing.T) map[string]int {
	t.Helper()
	text, err := os.ReadFile(sizesFile)
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int{}
	for line := range strings.Lines(string(text)) {
		size, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if sizes[name], err = strconv.Atoi(size); err != nil {
			t.Fatal(err)
		}
	}
	return sizes
}

func recordSizes(t *testing.T, sizes map[string]int) {
	t.Helper()
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sizes)) {
		fmt.Fprintf(&text, "%d %s\n", sizes[name], name)
	}
	if err := os.WriteFile(sizesFile, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A phone cuts the icon to a shape of its own; it takes pictures of these sizes.
func TestIconsHaveTheSizesThatTheManifestSays(t *testing.T) {
	for name, side := range map[string]int{"icon-192.png": 192, "icon-512.png": 512} {
		icon, err := png.DecodeConfig(strings.NewReader(read(t, name)))
		if err != nil || icon.Width != side || icon.Height != side {
			t.Errorf("%s: %+v, %v", name, icon, err)
		}
		if !strings.Contains(read(t, "manifest.json"), `"`+name+`", "sizes": "`+fmt.Sprintf("%dx%d", side, side)+`"`) {
			t.Errorf("manifest.json does not name %s with its size", name)
		}
	}
}
