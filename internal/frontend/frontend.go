// Package frontend gives the folders of an existing frontend as one file system,
// and reads from its files what the server has to know of it.
//
// A checkout of the original keeps its pages in public/ and further scripts beside
// its server's sources, and its server published both folders. Here the first
// folder that has a file wins, and what is published is bounded:
//   - The first folder is served whole but for names that start with a dot.
//   - Of further folders, and of a first one that is a Node server's own (it has
//     package.json and server.js), only files at the top and below public/ are
//     served, and only such as a browser asks for.
//   - Never served: dot files, server.js and package*.json of such a folder,
//     node_modules, backups of editors, anything that is no regular file, and
//     links that lead to one of these or out of the folder.
package frontend

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Folders is the file system. Its methods may be called concurrently.
type Folders struct{ all []*folder }

// A folder is one of them.
type folder struct {
	given   string // as it was named
	real    string // absolute, without links
	root    *os.Root
	project bool // it has a package.json
	strict  bool // only what a browser asks for, at the top and below public/
}

// Open opens those of dirs that exist, of which the first counts as the first. The
// caller closes what it returns.
func Open(dirs []string) (*Folders, error) {
	fs := &Folders{}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue // the configuration has warned of it
		}
		d, err := open(dir, len(fs.all) == 0)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s of STATIC_DIR cannot be opened: %w", dir, err), fs.Close())
		}
		fs.all = append(fs.all, d)
	}
	return fs, nil
}

func open(dir string, first bool) (*folder, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	real, err := filepath.EvalSymlinks(absolute)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(real) // nothing outside of it can be opened, whatever a name says
	if err != nil {
		return nil, err
	}
	has := func(name string) bool { _, err := root.Stat(name); return err == nil }
	project := has("package.json")
	return &folder{given: dir, real: real, root: root, project: project, strict: !first || project && has("server.js")}, nil
}

// Close closes every folder. It does nothing to a nil f.
func (f *Folders) Close() error {
	if f == nil {
		return nil
	}
	var errs []error
	for _, d := range f.all {
		errs = append(errs, d.root.Close())
	}
	return errors.Join(errs...)
}

// Open opens the file of the first folder that has it, else a folder of that
// name. What is not served does not exist: the error is fs.ErrNotExist.
func (f *Folders) Open(name string) (fs.File, error) {
	dir := -1
	for i, d := range f.all {
		real, info, err := d.find(name)
		switch {
		case err != nil:
		case !info.IsDir():
			return d.root.Open(real)
		case dir < 0:
			dir = i
		}
	}
	if dir < 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return f.all[dir].root.Open(name)
}

// find gives what name leads to, links followed, if that is served.
func (d *folder) find(name string) (real string, info fs.FileInfo, err error) {
	if !fs.ValidPath(name) || !plain(name) {
		return "", nil, fs.ErrNotExist
	}
	full, err := filepath.EvalSymlinks(filepath.Join(d.real, filepath.FromSlash(name)))
	if err != nil {
		return "", nil, fs.ErrNotExist
	}
	real, err = filepath.Rel(d.real, full)
	if err != nil || !filepath.IsLocal(real) {
		return "", nil, fs.ErrNotExist
	}
	info, err = d.root.Stat(real)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return "", nil, fs.ErrNotExist
	}
	for _, n := range []string{name, filepath.ToSlash(real)} {
		if !d.serves(n, info.IsDir()) {
			return "", nil, fs.ErrNotExist
		}
	}
	return real, info, nil
}

// plain reports whether name means the same file on every system: Windows drops
// dots and spaces at the end of a name, and reads \ and : in its own way.
func plain(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part != "." && strings.TrimRight(part, ". ") != part {
			return false
		}
	}
	return !strings.ContainsAny(name, `\:`+"\x00")
}

// serves reports whether a file or folder of this name may be served.
func (d *folder) serves(name string, isDir bool) bool {
	name = strings.ToLower(name) // the file system may not tell them apart
	parts := strings.Split(name, "/")
	if name != "." && slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, ".") }) {
		return false
	}
	if slices.ContainsFunc([]string{"~", ".bak", ".orig", ".swp"}, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return false
	}
	if (d.project || d.strict) && (slices.Contains(parts, "node_modules") || belongsToNode(path.Base(name)) && (d.strict || len(parts) == 1)) {
		return false
	}
	if !d.strict {
		return true
	}
	below := parts[0] == "public"
	if isDir {
		return below || name == "."
	}
	return (below || len(parts) == 1) && forBrowsers(name)
}

func belongsToNode(base string) bool {
	return base == "server.js" || strings.HasPrefix(base, "package") && path.Ext(base) == ".json"
}

// extensions are those of files that browsers ask for.
var extensions = []string{
	".html", ".htm", ".css", ".js", ".mjs", ".map", ".json", ".webmanifest",
	".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".bmp",
	".woff", ".woff2", ".ttf", ".otf", ".eot",
}

func forBrowsers(name string) bool { return slices.Contains(extensions, path.Ext(name)) }
