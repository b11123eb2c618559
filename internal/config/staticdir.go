package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checkFrontend reports a problem if no folder of STATIC_DIR exists, or if one contains a
// private file of the server.
func (c *Config) checkFrontend(vars map[string]string, ps *Problems) {
	missing := slices.DeleteFunc(slices.Clone(c.StaticDir), isFolder)
	if len(missing) > 0 && len(missing) == len(c.StaticDir) {
		*ps = append(*ps, Problem{
			"STATIC_DIR", "STATIC_DIR=" + c.StaticDir.String() + " is not a folder that can be read.",
			"Name the folder with the frontend's index.html; several are separated by " +
				string(filepath.ListSeparator) + " and the first that has a file wins.",
		})
		return
	}
	for _, dir := range missing {
		c.warn("STATIC_DIR names " + dir + ", which is not a folder that can be read; it is skipped.")
	}
	for _, kept := range c.privatePaths(vars) {
		for _, dir := range c.StaticDir {
			if isInside(kept.path, dir) {
				*ps = append(*ps, Problem{
					"STATIC_DIR", "STATIC_DIR would publish " + dir + ", in which " + kept.what + " is (" + kept.path + ").",
					"Serve a folder that holds nothing but the frontend, or " + kept.remedy + ".",
				})
			}
		}
	}
}

func isFolder(dir string) bool {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() {
		return false
	}
	f, err := os.Open(dir)
	if err != nil {
		return false
	}
	_ = f.Close()
	return true
}

// A privatePath is a file or folder that must not be served. what and remedy are parts of
// an error message.
type privatePath struct{ path, what, remedy string }

// privatePaths returns the files and folders that must not be served.
func (c *Config) privatePaths(vars map[string]string) []privatePath {
	all := []privatePath{{c.DataDir, "DATA_DIR", "set DATA_DIR to a folder outside of it"}}
	if db := c.Database(); !strings.Contains(db, "://") && !isInside(db, c.DataDir) {
		all = append(all, privatePath{db, "the database", "set DATABASE_URL to a path outside of it"})
	}
	if _, err := os.Stat(".env"); err == nil {
		all = append(all, privatePath{".env", "the server's .env", "start the server in another folder"})
	}
	for _, name := range knownNames() {
		if path, ok := vars[name]; ok && strings.HasSuffix(name, "_FILE") {
			all = append(all, privatePath{path, name, "move that file out of it"})
		}
	}
	return all
}

// isInside reports whether path is dir or lies in it, after following links. For a path
// that does not exist, its nearest existing ancestor counts.
func isInside(path, dir string) bool {
	top, err := os.Stat(dir)
	if err != nil {
		return false
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return false
	}
	for {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			return hasAncestor(top, real)
		}
		if filepath.Dir(path) == path {
			return false
		}
		path = filepath.Dir(path)
	}
}

// hasAncestor reports whether path, which contains no links, or an ancestor of it is top.
// It compares files, not names, because file systems may be case-insensitive.
func hasAncestor(top os.FileInfo, path string) bool {
	for {
		if info, err := os.Stat(path); err == nil && os.SameFile(top, info) {
			return true
		}
		if filepath.Dir(path) == path {
			return false
		}
		path = filepath.Dir(path)
	}
}
