// Gencommon packs the list of common passwords for package auth. It is run in that
// package's directory, with the folder of npm's zxcvbn as its argument:
//
//	npm install --prefix /tmp/zxcvbn zxcvbn@4.4.2
//	go run ./gencommon /tmp/zxcvbn/node_modules/zxcvbn
//
// The output depends on nothing but those files, so a second run changes nothing.
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// shortest is how many characters a listed password has at least: shorter ones are
// refused for their length.
const shortest = 6

// list is where the package names passwords, the most frequent first.
var list = regexp.MustCompile(`(?m)^  passwords: "([^"]+)"`)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: gencommon <folder of zxcvbn>")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(folder string) error {
	source, err := os.ReadFile(filepath.Join(folder, "lib", "frequency_lists.js"))
	if err != nil {
		return err
	}
	found := list.FindSubmatch(source)
	if found == nil {
		return errors.New("no list of passwords in lib/frequency_lists.js")
	}
	words := slices.DeleteFunc(strings.Split(string(found[1]), ","), func(w string) bool { return len(w) < shortest })
	slices.Sort(words)
	if err := pack("\n" + strings.Join(words, "\n") + "\n"); err != nil {
		return err
	}
	license, err := os.ReadFile(filepath.Join(folder, "LICENSE.txt"))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("common", "LICENSE"), license, 0o644)
}

func pack(text string) error {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write([]byte(text)); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("common", "passwords.txt.gz"), out.Bytes(), 0o644)
}
