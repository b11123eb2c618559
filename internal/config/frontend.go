package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// checkFrontend refuses folders of STATIC_DIR of which none is there, and such as
// would publish what the server keeps for itself.
func (c *Config) checkFrontend(vars map[string]string, ps *Problems) {
	missing := slices.DeleteFunc(slices.Clone(c.StaticDir), isFolder)
	if len(missing) > 0 && len(missing) == len(c.StaticDir) {
		*ps = append(*ps, Problem{
			"STATIC_DIR", "STATIC_DIR=" + c.StaticDir.String() + " is not a folder that can be read.",
			"Name the folder with the frontend's index.html; several are separated by " + string(filepath.ListSeparator) + " and the first that has a file wins.",
		})
		return
	}
	for _, dir := range missing {
		c.warn("STATIC_DIR names " + dir + ", which is not a folder that can be read; it is skipped.")
	}
	for _, kept := range c.kept(vars) {
		for _, dir := range c.StaticDir {
			if below(kept.path, dir) {
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

// A keep is a file or folder that nobody but the server may read.
type keep struct{ path, what, remedy string }

// kept gives what must not lie in a folder that is served.
func (c *Config) kept(vars map[string]string) []keep {
	all := []keep{{c.DataDir, "DATA_DIR", "set DATA_DIR to a folder outside of it"}}
	if db := c.Database(); !strings.Contains(db, "://") && !below(db, c.DataDir) {
		all = append(all, keep{db, "the database", "set DATABASE_URL to a path outside of it"})
	}
	if _, err := os.Stat(".env"); err == nil {
		all = append(all, keep{".env", "the server's .env", "start the server in another folder"})
	}
	for _, name := range knownNames() {
		if path, ok := vars[name]; ok && strings.HasSuffix(name, "_FILE") {
			all = append(all, keep{path, name, "move that file out of it"})
		}
	}
	return all
}

// below reports whether path is dir or lies in it, links followed. Of a path that
// does not exist yet, the nearest folder that does counts.
func below(path, dir string) bool {
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
			return holds(top, real)
		}
		if filepath.Dir(path) == path {
			return false
		}
		path = filepath.Dir(path)
	}
}

// holds reports whether path, which has no links in it, or a folder above it is
// top. Files are compared, not names: a file system may not tell cases apart.
func holds(top os.FileInfo, path string) bool {
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
