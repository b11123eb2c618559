// Command conformance is the protocol server with exactly the settings that the
// public test suites of Engine.IO v4 and Socket.IO v5 expect.
//
//	go run ./internal/conformance -mode engine -addr 127.0.0.1:3000
//
// Each mode is the server of one suite; docs/conformance.md says how to run the
// suites against it.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A protocol is a handler that is shut down before the HTTP server is.
type protocol interface {
	http.Handler
	Shutdown(context.Context) error
}

// modes are the servers by the name that -mode gives them.
var modes = map[string]func() protocol{
	"engine": newEngine,
	"socket": newSocket,
}

func main() {
	names := slices.Sorted(maps.Keys(modes))
	mode := flag.String("mode", names[0], "protocol to serve: "+strings.Join(names, " or "))
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *mode, *addr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, mode, addr string) error {
	newProtocol, ok := modes[mode]
	if !ok {
		return fmt.Errorf("no mode %q", mode)
	}
	p := newProtocol()
	server := &http.Server{Addr: addr, Handler: p, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	fmt.Fprintf(os.Stderr, "serving %s at %s\n", mode, addr)
	select {
	case err := <-failed:
		return cmp.Or(err, http.ErrServerClosed)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(p.Shutdown(limit), server.Shutdown(limit))
}
