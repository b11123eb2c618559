// Package frontend serves the folders of an existing frontend as one file system, and
// derives settings from its files.
//
// A checkout of the original has pages in public/ and further scripts beside the sources
// of its server, which published both folders. Here the first folder that has a file
// takes precedence, and only some files are served:
//   - Of the first folder, all files whose names do not start with a dot.
//   - Of the other folders, and of a first one that is the root of a Node server (it has
//     package.json and server.js), only files at the top and below public/ with an
//     extension that browsers request.
//   - Never: dot files, server.js and package*.json of such a folder, node_modules,
//     backups of editors, files that are not regular, and links that lead to one of these
//     or out of the folder.
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

// Folders is the file system of a frontend. Its methods may be called concurrently.
type Folders struct{ all []*folder }

// A folder is one folder of a frontend.
type folder struct {
	name    string // as configured
	path    string // absolute, without links
	root    *os.Root
	project bool // whether it has a package.json
	strict  bool // whether only files of browsers at the top and below public/ are served
}

// Open opens those of dirs that exist. The caller must close the result.
func Open(dirs []string) (*Folders, error) {
	fs := &Folders{}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue // package config has logged a warning
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
	root, err := os.OpenRoot(real) // prevents opening files outside of it
	if err != nil {
		return nil, err
	}
	has := func(name string) bool { _, err := root.Stat(name); return err == nil }
	project := has("package.json")
	return &folder{name: dir, path: real, root: root, project: project, strict: !first || project && has("server.js")}, nil
}

// Close closes all folders. f may be nil.
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

// Open opens the file of the first folder that has it, else a directory with that name.
// The error is fs.ErrNotExist, also for files that are not served.
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

// find returns what name leads to, links followed, if that is served.
func (d *folder) find(name string) (real string, info fs.FileInfo, err error) {
	if !fs.ValidPath(name) || !isPortableName(name) {
		return "", nil, fs.ErrNotExist
	}
	full, err := filepath.EvalSymlinks(filepath.Join(d.path, filepath.FromSlash(name)))
	if err != nil {
		return "", nil, fs.ErrNotExist
	}
	real, err = filepath.Rel(d.path, full)
	if err != nil || !filepath.IsLocal(real) {
		return "", nil, fs.ErrNotExist
	}
	info, err = d.root.Stat(real)
	if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
		return "", nil, fs.ErrNotExist
	}
	for _, n := range []string{name, filepath.ToSlash(real)} {
		if !d.isServed(n, info.IsDir()) {
			return "", nil, fs.ErrNotExist
		}
	}
	return real, info, nil
}

// isPortableName reports whether name denotes the same file on all systems. Windows ignores
// trailing dots and spaces, and treats \ and : specially.
func isPortableName(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part != "." && strings.TrimRight(part, ". ") != part {
			return false
		}
	}
	return !strings.ContainsAny(name, `\:`+"\x00")
}

// isServed reports whether a file or directory with this name may be served.
func (d *folder) isServed(name string, isDir bool) bool {
	name = strings.ToLower(name) // the file system may be case-insensitive
	parts := strings.Split(name, "/")
	if name != "." && slices.ContainsFunc(parts, func(p string) bool { return strings.HasPrefix(p, ".") }) {
		return false
	}
	if slices.ContainsFunc([]string{"~", ".bak", ".orig", ".swp"}, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return false
	}
	ofServer := isNodeServerFile(path.Base(name)) && (d.strict || len(parts) == 1)
	if (d.project || d.strict) && (ofServer || slices.Contains(parts, "node_modules")) {
		return false
	}
	if !d.strict {
		return true
	}
	below := parts[0] == "public"
	if isDir {
		return below || name == "."
	}
	return (below || len(parts) == 1) && isBrowserFile(name)
}

func isNodeServerFile(base string) bool {
	return base == "server.js" || strings.HasPrefix(base, "package") && path.Ext(base) == ".json"
}

// extensions lists the extensions of files that browsers request.
var extensions = []string{
	".html", ".htm", ".css", ".js", ".mjs", ".map", ".json", ".webmanifest",
	".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".avif", ".ico", ".bmp",
	".woff", ".woff2", ".ttf", ".otf", ".eot",
}

func isBrowserFile(name string) bool { return slices.Contains(extensions, path.Ext(name)) }
