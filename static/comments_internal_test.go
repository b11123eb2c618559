package static

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
)

func TestCommentsAreTakenOutAndLinesStay(t *testing.T) {
	const source = "/**\n * What it promises.\n */\n// why\nlet a = `\n// text\n/* text */\n`; // kept\n  /* one line */\nlet b = 1 /* kept */;\n/* kept */ let c;\n"
	const want = "\n\n\n\nlet a = `\n// text\n/* text */\n`; // kept\n\nlet b = 1 /* kept */;\n/* kept */ let c;\n"
	if got := string(withoutComments([]byte(source))); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Nothing but comments is missing from the files that a browser gets: each has the lines of its
// source and is still a module.
func TestFilesWithoutCommentsAreWhole(t *testing.T) {
	dir := t.TempDir()
	err := fs.WalkDir(Files, ".", func(name string, entry fs.DirEntry, err error) error {
		if ext := path.Ext(name); err != nil || entry.IsDir() || ext != ".js" && ext != ".css" {
			return err
		}
		source, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		served, err := fs.ReadFile(Files, name)
		if err != nil {
			return err
		}
		if lines := bytes.Count(source, []byte("\n")); name != programName && bytes.Count(served, []byte("\n")) != lines {
			t.Errorf("%s has other lines than its source", name)
		}
		if strings.HasSuffix(name, ".js") {
			return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "_")), served, 0o600)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const check = `for (const f of fs.readdirSync('.')) { try { new vm.SourceTextModule(fs.readFileSync(f, 'utf8')) } catch (e) { console.log(f, e.message); process.exitCode = 1 } }`
	node := exec.Command(testneed.Node(t), "--experimental-vm-modules", "-e", check)
	node.Dir = dir
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
