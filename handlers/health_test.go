package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// /readyz needs no token, and each request queried the database.
func TestTheDatabaseIsNotAskedAsOftenAsReadiness(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, draining := 0, false
		var failing error
		h := &Health{Checks: []Check{
			{Name: "database", Do: func(context.Context) error { asked++; return failing }},
			{Name: "drain", Uncached: true, Do: func(context.Context) error {
				if draining {
					return errors.New("shutting down")
				}
				return nil
			}},
		}}
		e, _ := newEcho()
		h.Register(e.Group(""))
		var g sync.WaitGroup
		for range 100 {
			g.Go(func() {
				if w := call(e, "GET", "/readyz", ""); w.Code != http.StatusOK {
					t.Errorf("%d %s", w.Code, w.Body)
				}
			})
		}
		g.Wait()
		if asked != 1 {
			t.Errorf("the database was asked %d times", asked)
		}
		draining = true
		if w := call(e, "GET", "/health", ""); w.Code != http.StatusServiceUnavailable || asked != 1 {
			t.Errorf("while it shuts down: %d", w.Code)
		}
		draining, failing = false, errors.New("no such host")
		time.Sleep(checkAge)
		if w := call(e, "GET", "/readyz", ""); w.Code != http.StatusServiceUnavailable || asked != 2 {
			t.Errorf("a second later: %d, asked %d times", w.Code, asked)
		}
	})
}

// The first seconds after a start looked like trouble.
func TestWhatConnectsForTheFirstTimeIsNoTrouble(t *testing.T) {
	hints := ErrConnecting
	h := &Health{Checks: []Check{{
		Name: "hints", Advisory: true, Uncached: true, Do: func(context.Context) error { return hints },
	}}}
	e, _ := newEcho()
	h.Register(e.Group(""))
	for _, want := range []string{"connecting", "degraded", "ok"} {
		if w := call(e, "GET", "/readyz", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `{"hints":"`+want+`"}`) {
			t.Errorf("%d %s, want %s", w.Code, w.Body, want)
		}
		hints = map[string]error{"connecting": errors.New("it failed"), "degraded": nil}[want]
	}
}

func TestDocumentsAreCompressedOnce(t *testing.T) {
	e, _ := newEcho()
	text := []byte(`{"openapi":"` + strings.Repeat("3.0", 1000) + `"}`)
	(&OpenAPI{JSON: text, YAML: text}).Register(e.Group(""))
	for _, path := range []string{"/openapi.json", "/openapi.yaml"} {
		plain, zipped := call(e, "GET", path, ""), call(e, "GET", path, "", "Accept-Encoding", "br, gzip")
		if !bytes.Equal(plain.Body.Bytes(), text) || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: %d bytes, %v", path, plain.Body.Len(), plain.Header())
		}
		r, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); !bytes.Equal(got, text) || err != nil || zipped.Header().Get("Content-Encoding") != "gzip" {
			t.Errorf("%s zipped: %d bytes, %v, %v", path, len(got), err, zipped.Header())
		}
	}
}
