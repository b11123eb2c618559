// Command notices writes the licences of everything that a binary of ours carries:
// this project's, Go's, those of the linked modules, and those of files that are
// embedded. It asks the binary itself what is linked, so nothing can be forgotten.
//
//	go run ./internal/notices ./expenseflow > THIRD_PARTY_NOTICES
//
// It fails if a linked module has no licence.
package main

import (
	"bufio"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./internal/notices BINARY")
		os.Exit(2)
	}
	out := bufio.NewWriter(os.Stdout)
	err := write(out, os.Args[1])
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

// A part is something with a licence of its own, and the folder that holds it.
type part struct{ name, dir string }

// write writes the notices of all parts of the binary.
func write(w io.Writer, binary string) error {
	parts, err := partsOf(binary)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := writePart(w, p); err != nil {
			return err
		}
	}
	return nil
}

// partsOf lists what the binary carries. It runs in the project's folder.
func partsOf(binary string) ([]part, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, fmt.Errorf("read what is linked: %w", err)
	}
	goroot, err := golang("env", "GOROOT")
	if err != nil {
		return nil, err
	}
	parts := []part{
		{"expenseflow", "."},
		{"Go " + info.GoVersion, goroot},
		{"socket.io-client", "internal/socketio/bundle"},
		{"list of common passwords", "internal/auth/common"},
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		dir, err := golang("list", "-m", "-f", "{{.Dir}}", m.Path)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{m.Path + " " + m.Version, dir})
	}
	return parts, nil
}

// golang runs the go command and gives its answer.
func golang(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// legal are the names of files that a licence asks to be handed on.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)`)

// writePart writes the name of p and its files.
func writePart(w io.Writer, p part) error {
	entries, err := os.ReadDir(p.dir)
	if err != nil {
		return fmt.Errorf("look for the licence of %s: %w", p.name, err)
	}
	found := false
	for _, e := range entries {
		if e.IsDir() || !legal.MatchString(e.Name()) || filepath.Ext(e.Name()) == ".go" {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.dir, e.Name()))
		if err != nil {
			return err
		}
		found = true
		if _, err := fmt.Fprintf(w, "%s\n== %s: %s\n\n%s\n", strings.Repeat("=", 72), p.name, e.Name(), text); err != nil {
			return err
		}
	}
	if !found {
		return fmt.Errorf("%s has no licence in %s", p.name, p.dir)
	}
	return nil
}
