// Package failpoint ends the process at a named place of the code, as kill -9
// does, so that a test can ask what is left when it dies exactly there
// (docs/reliability.md#fail-points).
//
// With FAILPOINT=name or FAILPOINT=name@n in the environment, the process kills
// itself the n-th time (the first if n is absent) that this place is reached, after
// a line on standard error that says so. No deferred function, no flush and no
// goodbye follow. Without FAILPOINT, or with another place's name, nothing happens.
//
// Only copies of the program's files that package overlay has patched call it.
// internal/e2e kills the program at each of the places (TestKilledAtANamedPoint).
package failpoint

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
)

// A Point is a place at which the process may die.
type Point string

// The places, in the order in which a change meets them on its way from a
// request to a device.
const (
	// AfterBegin is in a transaction that holds its user's row lock and has done
	// nothing else yet.
	AfterBegin Point = "after-begin"

	// AfterDedupe is behind the look-up of an idempotency key, whether it was
	// found or not, and before anything is written.
	AfterDedupe Point = "after-dedupe"

	// BeforeCommit is between the last statement of a transaction and its COMMIT.
	BeforeCommit Point = "before-commit"

	// BeforeWake is behind the COMMIT, before the tail is woken: nobody has been
	// told yet, neither the devices nor whoever asked.
	BeforeWake Point = "before-wake"

	// AfterWake is where the tail has been woken for a user and has read nothing
	// yet.
	AfterWake Point = "after-wake"

	// BeforeEmit is between the tail's read of the log and the first socket that
	// gets what was read. The log is the only relay between processes, so this is
	// "between relay read and emit" too.
	BeforeEmit Point = "before-emit"

	// MidWrite is in the middle of bytes for a client, of whatever kind: half of
	// what was to be written to a WebSocket or into a polling answer has gone out.
	MidWrite Point = "mid-write"

	// AfterAnswer is behind the answer to a request that changed something: the
	// kernel has all of it.
	AfterAnswer Point = "after-answer"

	// InSnapshot is between two expenses of an answer that gives everything
	// (GET /api/sync/changes where the log cannot tell).
	InSnapshot Point = "in-snapshot"

	// InCatchUp is between two changes that a client missed and gets after it came
	// back (connection state recovery).
	InCatchUp Point = "in-catch-up"
)

// LastWords is the line on standard error with which a process dies at p when it
// is there for the nth time.
func LastWords(p Point, nth int64) string { return fmt.Sprintf("failpoint: dying at %s@%d", p, nth) }

// Points are all of them.
var Points = []Point{
	AfterBegin, AfterDedupe, BeforeCommit, BeforeWake, AfterWake,
	BeforeEmit, MidWrite, AfterAnswer, InSnapshot, InCatchUp,
}

// An order says where to die, and at which time of being there.
type order struct {
	at   Point // "" is nowhere
	nth  int64
	hits atomic.Int64
}

var given = mustParse(os.Getenv("FAILPOINT"))

// mustParse panics on what names no point: a run that cannot die proves nothing.
func mustParse(text string) *order {
	o, err := parse(text)
	if err != nil {
		panic(err)
	}
	return o
}

func parse(text string) (*order, error) {
	name, nth, counted := strings.Cut(text, "@")
	o := &order{at: Point(name), nth: 1}
	if text == "" {
		return o, nil
	}
	if !slices.Contains(Points, o.at) {
		return nil, fmt.Errorf("FAILPOINT=%s names none of %v", text, Points)
	}
	if !counted {
		return o, nil
	}
	n, err := strconv.ParseInt(nth, 10, 64)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("FAILPOINT=%s: behind @ stands a number from 1", text)
	}
	o.nth = n
	return o, nil
}

// due reports whether p is reached for the time that was ordered.
func (o *order) due(p Point) bool { return p == o.at && o.hits.Add(1) == o.nth }

// Here is a place at which the process may die.
func Here(p Point) { If(true, p) }

// If is Here where the condition holds.
func If(holds bool, p Point) {
	if holds && given.due(p) {
		die(p)
	}
}

// After is Here, but last runs before the process dies, and only then.
func After(p Point, last func()) {
	if given.due(p) {
		last()
		die(p)
	}
}

// die is kill -9 by our own hand, on systems without signals the nearest thing.
// It does not return: what another thread does in the microseconds that this
// takes may still happen.
func die(p Point) {
	_, _ = fmt.Fprintln(os.Stderr, LastWords(p, given.nth))
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {}
}

// Answers returns a handler that may die behind its answers to requests that
// change something (AfterAnswer). net/http sends a short answer when the handler
// has returned, so it is kept back, sent whole and flushed here.
func Answers(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if given.at != AfterAnswer || r.Method == http.MethodGet || !strings.HasPrefix(r.URL.Path, "/api/") {
			h.ServeHTTP(w, r)
			return
		}
		kept := &keptAnswer{ResponseWriter: w, code: http.StatusOK}
		h.ServeHTTP(kept, r)
		kept.send()
		Here(AfterAnswer)
	})
}

// A keptAnswer is an answer that waits until it is complete.
type keptAnswer struct {
	http.ResponseWriter
	code int
	body bytes.Buffer
}

func (k *keptAnswer) WriteHeader(code int)        { k.code = code }
func (k *keptAnswer) Write(b []byte) (int, error) { return k.body.Write(b) }

// Unwrap lets http.ResponseController find the connection's deadlines.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func (k *keptAnswer) send() {
	k.Header().Set("Content-Length", strconv.Itoa(k.body.Len()))
	k.ResponseWriter.WriteHeader(k.code)
	_, _ = k.ResponseWriter.Write(k.body.Bytes())
	_ = http.NewResponseController(k.ResponseWriter).Flush()
}
