package static

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"testing"

	"expenseflow/internal/testneed"

	"github.com/google/go-cmp/cmp"
)

func linkedOf(modules map[string]string) (program, error) {
	return link(func(name string) ([]byte, error) {
		if source, ok := modules[name]; ok {
			return []byte(source), nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}, "js/app.js")
}

// Linked modules do what they do one by one: names of one are not seen by another, and each runs once, after
// those that it imports.
func TestLinkedModulesRunAsTheyAre(t *testing.T) {
	p, err := linkedOf(map[string]string{
		"js/app.js":    "import { a, b as other } from './sub/x.js';\nimport * as y from './y.js';\nconst own = 'app';\nconsole.log(own, a(), other, new y.C().name);\n",
		"js/sub/x.js":  "import { n } from '../y.js';\nconst own = 'x';\nexport function a() {\nreturn own + n;\n}\nexport const b = 'b';\n",
		"js/y.js":      "console.log('y');\nexport class C {\nname = 'C';\n}\nexport const n = 1;\nexport async function never() {}\n",
		"js/unused.js": "console.log('unused');\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(testneed.Node(t), "--input-type=module", "-e", string(p.code)).CombinedOutput()
	if want := "y\napp x1 b C\n"; err != nil || string(out) != want {
		t.Errorf("%v: %q, want %q", err, out, want)
	}
}

func TestSourceMapNamesTheLineOfEveryModule(t *testing.T) {
	p, err := linkedOf(map[string]string{
		"js/app.js": "import { a } from './a.js';\nimport { b } from './b.js';\n",
		"js/a.js":   "export const a = 1;\n",
		"js/b.js":   "\n\nexport const b = 2;\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Sources  []string
		Mappings string
	}
	if err := json.Unmarshal(p.sourceMap, &m); err != nil {
		t.Fatal(err)
	}
	// The line of $, a with its end, b with its end, app with its end, and what says where the map is.
	want := []string{"", "AAAA", "AACA", "ACDA", "AACA", "AACA", "AACA", "ACHA", "AACA", "AACA", ""}
	if diff := cmp.Diff(want, strings.Split(m.Mappings, ";")); diff != "" {
		t.Errorf("mappings (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a.js", "b.js", "app.js"}, m.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestDigitsOfSourceMaps(t *testing.T) {
	for n, want := range map[int]string{0: "A", 1: "C", -1: "D", 15: "e", 16: "gB", -16: "hB", 511: "+f", 512: "ggB"} {
		if got := digits(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestWhatCannotBeLinkedIsRefused(t *testing.T) {
	for what, source := range map[string]string{
		"a circle":                    "import { x } from './app.js';\n",
		"a module that is not there":  "import { x } from './none.js';\n",
		"an import of several lines":  "import {\nx,\n} from './b.js';\n",
		"a default export":            "export default 1;\n",
		"a variable that may change":  "export let x = 1;\n",
		"the address of a subfolder":  "import { x } from './sub/c.js';\n",
		"what another module exports": "export { x } from './b.js';\n",
	} {
		_, err := linkedOf(map[string]string{
			"js/app.js": "import { a } from './a.js';\n", "js/a.js": source, "js/b.js": "export const x = 1;\n",
			"js/sub/c.js": "export const x = import.meta.url;\n",
		})
		if err == nil {
			t.Errorf("%s is linked", what)
		}
	}
}
