//go:build failpoints

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

// due tells whether p is reached for the time that was ordered.
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

// Answers gives a handler that may die behind its answers to requests that
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
