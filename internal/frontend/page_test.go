package frontend

import (
	"path/filepath"
	"strings"
	"testing"
)

const page = `<!doctype html><script src="app.js"></script><script src="/lib/x.js?v=2"></script>
<!-- <script src="commented.js"></script> --><script>inline()</script><script src=""></script>
<script src="https://cdn.example/chart.js"></script><script src="//cdn.example/y.js"></script>
<script src="/socket.io/socket.io.js"></script><script SRC='realtime-sync.js' defer></script><script src="app.js"></script>
<script src="%zz"></script><script src="../above.js"></script>`

func ours(path string) bool { return strings.HasPrefix(path, "/socket.io/") }

func TestWhatIsMissingIsSaidAtTheStart(t *testing.T) {
	checkout := files(t, "realtime-sync.js", "above.js")
	write(t, filepath.Join(checkout, "public", "index.html"), page)
	write(t, filepath.Join(checkout, "public", "app.js"), "")
	public := filepath.Join(checkout, "public")
	for _, tt := range []struct {
		name string
		dirs []string
		want []string // a warning each, as words of it
	}{
		{"a page without its scripts", []string{public}, []string{"/lib/x.js, /realtime-sync.js, /above.js. If they lie"}},
		{"its scripts are one folder up", []string{public, checkout}, []string{"no folder of STATIC_DIR has: /lib/x.js. If"}},
		{"no page", []string{files(t, "a.txt")}, []string{"STATIC_DIR has no index page"}},
		{"only the page of an installed app", []string{files(t, "expensetracker.html")}, nil},
		{"a server's own folder", []string{files(t, "package.json", "server.js", "index.html")}, []string{"Node server's own folder"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := opened(t, tt.dirs...).Warnings(ours)
			if len(got) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", got, tt.want)
			}
			for i, words := range tt.want {
				if !strings.Contains(got[i], words) {
					t.Errorf("%q lacks %q", got[i], words)
				}
			}
		})
	}
}

func TestTheWarningNamesTheFolderThatHasTheScripts(t *testing.T) {
	checkout := files(t, "realtime-sync.js", "public/a.css")
	public := filepath.Join(checkout, "public")
	write(t, filepath.Join(public, "index.html"), `<script src="realtime-sync.js"></script>`)
	want := "Set STATIC_DIR=" + public + string(filepath.ListSeparator) + checkout + "."
	for _, dir := range []string{public, checkout} { // the page is at / or at /public/
		if got := opened(t, dir).Warnings(ours); len(got) != 1 || !strings.HasSuffix(got[0], want) {
			t.Errorf("%s: %q, want %q", dir, got, want)
		}
	}
}

func TestTheListIsReadFromTheFrontendsScript(t *testing.T) {
	get := "const response = await fetch(`${API}/expenses`, {headers: headers()});\nif (!response.ok) throw new Error('no');\n"
	for _, tt := range []struct {
		name, script string
		wrapped      bool
	}{
		{"an array", get + "const expenses = await response.json(); return expenses.map(e => e._id);", false},
		{"wrapped", get + "const data = await response.json();\nreturn data.data.map(e => ({id: e._id}));", true},
		{"wrapped, another name", get + "let body = await response.json(); rows = body.data; rows.forEach(show)", true},
		{"wrapped, optional", get + "const res = await response.json(); return res?.data?.map(show)", true},
		{"taken out at once", get + "const { data, pagination } = await response.json(); return data.map(show)", true},
		{"in one expression", get + "return (await response.json()).data.map(show)", true},
		{"a chain", "fetch('/api/expenses').then(r => r.json()).then(result => show(result.data))", true},
		{"a chain with functions", "fetch('/api/expenses').then(function (r) { return r.json(); }).then(function (list) { " +
			"show(list.data) })", true},
		{"a chain that reads an array", "fetch('/api/expenses').then(r => r.json()).then(list => list.map(e => e.data))", false},
		{"either form", get + "const d = await response.json(); return (Array.isArray(d) ? d : d.data).map(show)", false},
		{"an array whose rows have data", get + "const list = await response.json(); return list.map(e => e.data.map(show))", false},
		{"another's data", get + "const list = await response.json(); window.list = list; console.log(other.data.list.data)", false},
		{"a page of it", "const r = await fetch(`/api/expenses?page=1&limit=50`); const d = await r.json(); show(d.data)", false},
		{
			"what was stored", "const r = await fetch('/api/expenses', {method: 'POST', body}); const d = await r.json(); return d.data",
			false,
		},
		{"another list", "const r = await fetch(`/api/expenses/${id}`); const d = await r.json(); show(d.data)", false},
		{"the next request's", get + "return response;\n}\nconst s = await fetch('/api/goals'); const d = await s.json(); " +
			"show(d.data.map(x))", false},
		{
			"comments", "/* fetch('/api/expenses') d = await r.json(); d.data */\n// fetch('/api/expenses'); d = await r.json(); d.data",
			false,
		},
		{"no request", "localStorage.getItem('transactions')", false},
		{"minified", "let r=await fetch(`${a}/expenses`,{headers:h()});if(401===r.status)return[];let t=await r.json();return " +
			"t.data.map(n=>n._id)", true},
	} {
		dir := files(t, "index.html")
		write(t, filepath.Join(dir, "trackerscript.js"), tt.script)
		if got, _ := opened(t, dir).WrappedList(); got != tt.wrapped {
			t.Errorf("%s: wrapped %v", tt.name, got)
		}
	}
	if wrapped, script := opened(t, files(t, "index.html")).WrappedList(); wrapped || script != "" {
		t.Error("no script, and yet it was read")
	}
}

func FuzzListReadings(f *testing.F) {
	f.Add("fetch('/expenses').then(r => r.json()).then(d => d.data)")
	f.Add("const $ = await fetch(`/expenses`); const a$ = await $.json(); a$.data")
	f.Fuzz(func(_ *testing.T, script string) {
		for _, r := range codeAfterListRequests(script) {
			usesDataField(r)
		}
	})
}
