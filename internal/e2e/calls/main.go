// Command calls compares what a frontend asks for with what this server answers.
//
//	go run . &                                                  the server to ask
//	go run ./internal/e2e/calls -checkout ../ExpenseFlow        the table of a checkout
//
// It reads every call of /api in the frontend's scripts and pages, looks each up
// in the original server's routes, which lie in the same checkout, asks the
// running server the same, and prints one Markdown table. The exit code is 1 if
// the original answers a call that this server does not know.
//
// It registers a new account at the server that it asks and writes entries of
// its own there, so it takes a loopback address only.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"

	"expenseflow/internal/e2e/process"
)

func main() {
	checkout := flag.String("checkout", "", "folder of the original: server.js, routes/ and the frontend")
	server := flag.String("url", "http://localhost:3000", "the running server, on this machine")
	process.Main(func(ctx context.Context) error { return run(ctx, *checkout, *server) })
}

func run(ctx context.Context, checkout, server string) error {
	if err := onThisMachine(server); err != nil {
		return err
	}
	files := os.DirFS(checkout)
	calls, err := frontendCalls(files)
	if err != nil {
		return fmt.Errorf("read the frontend in %q: %w", checkout, err)
	}
	routes, err := originalRoutes(files)
	if err != nil {
		return fmt.Errorf("read the routes in %q: %w", checkout, err)
	}
	c, err := newClient(ctx, server)
	if err != nil {
		return err
	}
	rows := compare(ctx, c, calls, routes)
	if err := printTable(os.Stdout, rows); err != nil {
		return err
	}
	if n := missing(rows); n > 0 {
		return fmt.Errorf("%d calls that the original answers have no answer here", n)
	}
	return nil
}

func onThisMachine(server string) error {
	u, err := url.Parse(server)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine: entries are written where it asks", server)
	}
	return nil
}
