package process

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// Main is the main function of a program that tries servers: it parses the command
// line, runs run until SIGINT or SIGTERM end its context, and exits with 1 if it fails.
func Main(run func(ctx context.Context) error) {
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", filepath.Base(os.Args[0]), err)
		os.Exit(1)
	}
}

// BinaryFlag defines the flag -binary and returns a function that gives the program to
// try: the flag's value, or else this module's, built into a temporary folder. The
// caller removes that by remove.
func BinaryFlag() func(ctx context.Context) (path string, remove func(), err error) {
	binary := flag.String("binary", "", "`program` to try (empty: build the one of this module)")
	return func(ctx context.Context) (string, func(), error) {
		if *binary != "" {
			return *binary, func() {}, nil
		}
		dir, err := os.MkdirTemp("", "expenseflow-built-")
		if err != nil {
			return "", nil, err
		}
		remove := func() { _ = os.RemoveAll(dir) }
		path, err := Build(ctx, dir, "expenseflow")
		if err != nil {
			remove()
		}
		return path, remove, err
	}
}

// OnlyFlag defines the flag -only, which names some of what a program does, and returns
// a function that gives the names; none are all.
func OnlyFlag(what string) func() []string {
	only := flag.String("only", "", "comma-separated `"+what+"` to try (empty: all)")
	return func() []string {
		return strings.FieldsFunc(*only, func(r rune) bool { return r == ',' || r == ' ' })
	}
}
