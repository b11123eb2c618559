package frontend

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// maxRead is the maximum number of bytes that are read of a page or a script.
const maxRead = 4 << 20

// pages lists the names of the index page in order of precedence. It is in public/ in a
// checkout whose server published only its root.
var pages = []string{"index.html", "expensetracker.html", "public/index.html"}

// Warnings returns warnings about STATIC_DIR: a first folder that is served only partly,
// files that look like credentials, no index page, and scripts of the index page that no
// folder has. ours reports whether the server itself handles a path such as
// /socket.io/socket.io.js.
func (f *Folders) Warnings(ours func(path string) bool) []string {
	var all []string
	if d := f.all[0]; d.strict && d.project {
		all = append(all, d.name+" is a Node server's own folder (package.json, server.js): "+
			"only files at its top and below public/ are served, and nothing of the server.")
	}
	if w := f.warnOfSecrets(); w != "" {
		all = append(all, w)
	}
	name, text := f.index()
	if name == "" {
		return append(all, "STATIC_DIR has no index page: none of its folders has index.html.")
	}
	if missing := f.missing(name, text, ours); len(missing) > 0 {
		all = append(all, fmt.Sprintf("%s asks for scripts that no folder of STATIC_DIR has: %s. %s",
			name, strings.Join(missing, ", "), f.suggestion(name, missing)))
	}
	return all
}

// suggestion returns a sentence with the setting that is likely to find the missing scripts of
// a page: the original has them in the parent of public/.
func (f *Folders) suggestion(page string, missing []string) string {
	first := f.all[0].name
	folders := []string{first, filepath.Dir(filepath.Clean(first))}
	if strings.HasPrefix(page, "public/") {
		folders = []string{filepath.Join(first, "public"), first}
	}
	if _, err := os.Stat(filepath.Join(folders[1], path.Base(missing[0]))); err != nil {
		return "If they lie in another folder, add it to STATIC_DIR."
	}
	return "Set STATIC_DIR=" + strings.Join(folders, string(filepath.ListSeparator)) + "."
}

// index returns the name and content of the index page; "" if there is none.
func (f *Folders) index() (name string, text []byte) {
	for _, name := range pages {
		if text, err := f.read(name); err == nil {
			return name, text
		}
	}
	return "", nil
}

// missing returns the local scripts of a page that no folder has.
func (f *Folders) missing(page string, text []byte, ours func(string) bool) []string {
	var missing []string
	for _, script := range scripts(page, text) {
		info, err := fs.Stat(f, strings.TrimPrefix(script, "/"))
		if absent := err != nil || info.IsDir(); absent && !ours(script) && !slices.Contains(missing, script) {
			missing = append(missing, script)
		}
	}
	return missing
}

// scripts returns the paths of the scripts of a page that are on the page's own server.
func scripts(page string, text []byte) []string {
	var paths []string
	base := &url.URL{Path: "/" + page}
	for z := html.NewTokenizer(bytes.NewReader(text)); z.Next() != html.ErrorToken; {
		t := z.Token()
		if t.Type != html.StartTagToken && t.Type != html.SelfClosingTagToken || t.Data != "script" {
			continue
		}
		for _, a := range t.Attr {
			u, err := url.Parse(strings.TrimSpace(a.Val))
			if a.Key == "src" && err == nil && u.Scheme == "" && u.Host == "" && u.Path != "" {
				paths = append(paths, path.Clean(base.ResolveReference(u).Path))
			}
		}
	}
	return paths
}

func (f *Folders) read(name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, maxRead))
}
