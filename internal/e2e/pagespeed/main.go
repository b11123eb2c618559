// Command pagespeed measures the built-in page in Chromium, with more entries than a person
// makes in years, and says whether it is as fast as it has to be.
//
//	go run ./internal/e2e/pagespeed                  five rounds
//	go run ./internal/e2e/pagespeed -rounds 1 -entries 2000 -long 5000
//
// One account has -entries of them, spread over eight years; another has -long, all in the
// present month. Each is filled by offline batches. The figures, in milliseconds:
//
//   - first row: from the start of navigation until a row is painted, in a browser that has
//     nothing of the page or the account, and when it is opened again.
//   - typing: the slowest key of a text, from the key to the paint that follows it (Event
//     Timing, which rounds to 8 ms and does not tell of less than 16).
//   - frame: the longest time between two frames while the long list is scrolled by the wheel,
//     and to places all over it, as by the scroll bar. That of an empty page is what the
//     machine itself costs: where it is long, the others say nothing.
//
// Beside them stands what one more round takes of the processor in the page's thread, by tracing:
// all of it until the first row, and the longest task of typing and scrolling. It hardly depends
// on what else the machine does.
//
// The last figure is the size of the page's own files, each compressed by gzip. The program
// ends with 1 if a median is beyond its target, or if a part of the page is not there. All
// traffic stays on loopback; nothing else should run.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"expenseflow/internal/e2e/process"
)

// options say what to measure.
type options struct {
	rounds, entries, long int
	chromium              string
}

func main() {
	var o options
	binary := process.BinaryFlag()
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each measurement")
	flag.IntVar(&o.entries, "entries", 20_000, "entries of the account for first rows and typing")
	flag.IntVar(&o.long, "long", 100_000, "entries of the account whose list is scrolled")
	flag.StringVar(&o.chromium, "chromium", process.Chromium(), "`program` to measure in")
	process.Main(func(ctx context.Context) error {
		path, remove, err := binary(ctx)
		if err != nil {
			return err
		}
		defer remove()
		return o.run(ctx, path)
	})
}

func (o *options) run(ctx context.Context, binary string) (err error) {
	if o.chromium == "" {
		return errors.New("there is no Chromium: install it, or name it by -chromium")
	}
	s, err := process.Start(ctx, binary, "ACCESS_LOG=false", "SYNC_RATE_LIMIT=0", "SQLITE_SYNC=normal",
		"JWT_SECRET=a secret of the measurements, long enough to be taken")
	if s != nil {
		defer func() { err = errors.Join(err, s.Stop()) }()
	}
	if err != nil {
		return err
	}
	today := time.Now()
	book, err := fill(ctx, s.Addr, "book@example.org", spread(today, o.entries))
	if err != nil {
		return err
	}
	long, err := fill(ctx, s.Addr, "long@example.org", inMonth(today, o.long))
	if err != nil {
		return err
	}
	figures, err := o.measure(ctx, s.Addr, book, long)
	if err != nil {
		return err
	}
	size, err := pageSize()
	if err != nil {
		return err
	}
	return report(os.Stdout, figures, size)
}

// A session is what the page stores of a sign-in.
type session struct {
	Token string          `json:"token"`
	User  json.RawMessage `json:"user"`
}

// register makes an account.
func register(ctx context.Context, addr, email string) (s session, err error) {
	a, err := process.Send(ctx, http.DefaultClient, http.MethodPost, "http://"+addr+"/api/auth/register", "",
		process.Credentials(email, process.Password))
	if err != nil {
		return s, err
	}
	if a.Into(&s); s.Token == "" {
		return s, fmt.Errorf("register: %d %.200s", a.Status, a.Body)
	}
	return s, nil
}

// measure runs the browser and returns the figures by name.
func (o *options) measure(ctx context.Context, addr string, book, long session) (map[string][]float64, error) {
	root, err := process.ModuleRoot()
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(map[string]any{
		"url": "http://" + addr, "chromium": o.chromium, "rounds": o.rounds, "book": book, "long": long,
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	node := exec.CommandContext(ctx, "node", "pagespeed.mjs", string(told))
	node.Dir, node.Stdout, node.Stderr = filepath.Join(root, "internal", "e2e", "npm"), &out, os.Stderr
	node.Cancel = func() error { return node.Process.Signal(os.Interrupt) } // it ends its browser
	if err := node.Run(); err != nil {
		return nil, fmt.Errorf("the browser: %w (npm ci --prefix internal/e2e/npm installs what drives it)", err)
	}
	var figures map[string][]float64
	return figures, json.Unmarshal(out.Bytes(), &figures)
}
