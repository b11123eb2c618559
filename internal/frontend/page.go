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

// maxRead bounds what is read of a page or a script, in bytes.
const maxRead = 4 << 20

// pages are the names of the index page, the likeliest first. A checkout whose
// server published its root alone has it in public/.
var pages = []string{"index.html", "expensetracker.html", "public/index.html"}

// Warnings says what the person who set STATIC_DIR should know: a first folder of
// which only a part is served, no index page, and scripts that the index page asks
// for and no folder has. ours reports whether the server itself answers a path
// such as /socket.io/socket.io.js.
func (f *Folders) Warnings(ours func(path string) bool) []string {
	var all []string
	if d := f.all[0]; d.strict && d.project {
		all = append(all, fmt.Sprintf("%s is a Node server's own folder (package.json, server.js): only files at its top and below public/ are served, and nothing of the server.", d.given))
	}
	name, text := f.index()
	if name == "" {
		return append(all, "STATIC_DIR has no index page: none of its folders has index.html.")
	}
	if missing := f.missing(name, text, ours); len(missing) > 0 {
		all = append(all, fmt.Sprintf("%s asks for scripts that no folder of STATIC_DIR has: %s. %s", name, strings.Join(missing, ", "), f.remedy(name, missing)))
	}
	return all
}

// remedy says where the missing scripts of a page are likely to be: the original
// kept them beside its folder public/.
func (f *Folders) remedy(page string, missing []string) string {
	first := f.all[0].given
	folders := []string{first, filepath.Dir(filepath.Clean(first))}
	if strings.HasPrefix(page, "public/") {
		folders = []string{filepath.Join(first, "public"), first}
	}
	if _, err := os.Stat(filepath.Join(folders[1], path.Base(missing[0]))); err != nil {
		return "If they lie in another folder, add it to STATIC_DIR."
	}
	return "Set STATIC_DIR=" + strings.Join(folders, string(filepath.ListSeparator)) + "."
}

// index gives the index page and its name, "" if there is none.
func (f *Folders) index() (name string, text []byte) {
	for _, name := range pages {
		if text, err := f.read(name); err == nil {
			return name, text
		}
	}
	return "", nil
}

// missing gives the local scripts that a page asks for and no folder has.
func (f *Folders) missing(page string, text []byte, ours func(string) bool) []string {
	var missing []string
	for _, script := range scripts(page, text) {
		if info, err := fs.Stat(f, strings.TrimPrefix(script, "/")); (err != nil || info.IsDir()) && !ours(script) && !slices.Contains(missing, script) {
			missing = append(missing, script)
		}
	}
	return missing
}

// scripts gives the paths of a page's scripts that are on its own server.
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
