package frontend

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

const (
	maxLooked = 2_000    // names of a directory that are checked
	maxNamed  = 10       // files in a warning
	maxConfig = 64 << 10 // bytes of a file whose text is checked
)

// secrets returns the served files at the top of the folders and of their public/ that look
// like credentials, at most maxNamed.
func (f *Folders) secrets() (names []string) {
	for _, d := range f.all {
		for _, dir := range []string{".", "public"} {
			for _, name := range d.list(dir) {
				if len(names) < maxNamed && d.looksSecret(name) {
					names = append(names, path.Join(d.name, name))
				}
			}
		}
	}
	return names
}

// list returns the files of a directory that are served.
func (d *folder) list(dir string) (names []string) {
	opened, err := d.root.Open(dir)
	if err != nil {
		return nil
	}
	defer opened.Close()
	entries, _ := opened.ReadDir(maxLooked)
	for _, e := range entries {
		name := path.Join(dir, e.Name())
		if _, info, err := d.find(name); err == nil && !info.IsDir() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

var (
	// secretWords are common parts of the names of credentials, without - and _.
	secretWords = []string{
		"serviceaccount", "credential", "secret", "adminsdk", "keypair", "privatekey", ".key.", "idrsa", "ided25519",
	}
	// secretExtensions are the extensions of keys and databases. A file .env is never served.
	secretExtensions = []string{".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".env", ".sqlite", ".sqlite3", ".db"}
	secretTexts      = [][]byte{[]byte(`"private_key"`), []byte("PRIVATE KEY-----")}
)

// looksSecret reports whether a file has a name like that of credentials, or contains a
// private key.
func (d *folder) looksSecret(name string) bool {
	base := strings.ToLower(path.Base(name))
	plain := strings.NewReplacer("-", "", "_", "").Replace(base)
	named := slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(plain, w) })
	if named || slices.Contains(secretExtensions, path.Ext(base)) {
		return true
	}
	if path.Ext(base) != ".json" && path.Ext(base) != ".js" {
		return false
	}
	info, err := d.root.Stat(name)
	if err != nil || info.Size() > maxConfig {
		return false
	}
	text, err := fs.ReadFile(d.root.FS(), name)
	return err == nil && slices.ContainsFunc(secretTexts, func(t []byte) bool { return bytes.Contains(text, t) })
}

// warnOfSecrets is the sentence about them, "" if there are none.
func (f *Folders) warnOfSecrets() string {
	names := f.secrets()
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("STATIC_DIR publishes files that look like credentials: %s. "+
		"Anybody can read them: move them out of the folder.", strings.Join(names, ", "))
}
