// Command dayinlife lives a day with the program, the last one of a month, and takes a picture
// of each scene for somebody to look at: a phone offline in the morning, a laptop at noon, the
// partner in the evening, a conflict, a budget that is used up, and the month's end.
//
//	go run ./internal/e2e/dayinlife -out pictures
//
// The accounts are those of `expenseflow demo`. The server's clock is set for each scene
// (internal/e2e/overlay), and so are those of the browsers. What the pictures have to show is
// in the list that is printed with them. The program ends with 1 if a scene cannot be played.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"expenseflow/internal/e2e/overlay"
	"expenseflow/internal/e2e/process"
)

func main() {
	var d day
	flag.StringVar(&d.out, "out", "", "`folder` for the pictures")
	flag.StringVar(&d.binary, "binary", "", "`program` built with a clock that can be set (empty: build it)")
	flag.StringVar(&d.chromium, "chromium", process.Chromium(), "`program` to take the pictures in")
	process.Main(d.run)
}

// A day is one run of the program.
type day struct {
	out, binary, chromium string

	dir      string // of the database
	port     string
	password string
	server   *process.Server
}

// zone is where the day is lived.
const zone = "Europe/Berlin"

func (d *day) run(ctx context.Context) (err error) {
	if d.out == "" || d.chromium == "" {
		return errors.New("it needs a folder for the pictures (-out) and Chromium (-chromium)")
	}
	if d.out, err = filepath.Abs(d.out); err != nil {
		return err
	}
	if err := os.MkdirAll(d.out, 0o755); err != nil {
		return err
	}
	if d.dir, err = os.MkdirTemp("", "expenseflow-day-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop(), os.RemoveAll(d.dir)) }()
	if err := d.build(ctx); err != nil {
		return err
	}
	if d.port, err = process.FreePort(); err != nil {
		return err
	}
	begin, err := lastOfMonth(time.Now())
	if err != nil {
		return err
	}
	if err := d.fill(ctx, begin); err != nil {
		return err
	}
	return d.live(ctx, begin)
}

// lastOfMonth returns the beginning of the last day of the month of t.
func lastOfMonth(t time.Time) (time.Time, error) {
	place, err := time.LoadLocation(zone)
	if err != nil {
		return t, err
	}
	return time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, place), nil
}

func (d *day) build(ctx context.Context) error {
	if d.binary != "" {
		return nil
	}
	list, err := overlay.WriteWithClock(ctx, d.dir)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "building the program with a clock that can be set: the standard library is compiled again")
	d.binary, err = process.Build(ctx, d.dir, "expenseflow", "-overlay", list)
	return err
}

// offset is the setting that has the program's clock show t now.
func offset(t time.Time) string {
	return fmt.Sprintf("CLOCK_OFFSET_SECONDS=%d", int64(time.Until(t).Round(time.Second)/time.Second))
}

// fill has the command demo fill the database, as of this day.
func (d *day) fill(ctx context.Context, begin time.Time) error {
	cmd := exec.CommandContext(ctx, d.binary, "demo", "--dir", filepath.Join(d.dir, "data"))
	cmd.Env, cmd.Stderr = append(os.Environ(), offset(begin.Add(time.Hour)), "TZ="+zone), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, password, ok := strings.Cut(lines.Text(), "password "); ok {
			d.password = password
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			break
		}
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return cmd.Wait()
}

// set restarts the server with another time.
func (d *day) set(ctx context.Context, t time.Time) (err error) {
	if err := d.stop(); err != nil {
		return err
	}
	d.server, err = process.StartAt(ctx, d.port, d.dir, exec.Command(d.binary), offset(t), "ACCESS_LOG=false")
	return err
}

func (d *day) stop() error {
	if d.server != nil {
		d.server.Kill()
	}
	return nil
}

// live plays the scenes in a browser, which says what time it is to be.
func (d *day) live(ctx context.Context, begin time.Time) error {
	root, err := process.ModuleRoot()
	if err != nil {
		return err
	}
	told, err := json.Marshal(map[string]any{
		"url": "http://127.0.0.1:" + d.port, "chromium": d.chromium, "out": d.out, "zone": zone,
		"password": d.password, "begin": begin.UnixMilli(),
	})
	if err != nil {
		return err
	}
	node := exec.CommandContext(ctx, "node", "dayinlife.mjs", string(told))
	node.Dir, node.Stderr = filepath.Join(root, "internal", "e2e", "npm"), os.Stderr
	node.Cancel = func() error { return node.Process.Signal(os.Interrupt) } // it ends its browser
	in, err := node.StdinPipe()
	if err != nil {
		return err
	}
	out, err := node.StdoutPipe()
	if err != nil {
		return err
	}
	if err := node.Start(); err != nil {
		return err
	}
	err = d.follow(ctx, in, out)
	return errors.Join(err, node.Wait())
}

// follow answers each line "clock MILLISECONDS" of the browser when the server has that time,
// and prints the others.
func (d *day) follow(ctx context.Context, in io.WriteCloser, out io.Reader) error {
	defer in.Close()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var millis int64
		if _, err := fmt.Sscanf(lines.Text(), "clock %d", &millis); err != nil {
			fmt.Println(lines.Text())
			continue
		}
		if err := d.set(ctx, time.UnixMilli(millis)); err != nil {
			return err
		}
		fmt.Fprintln(in, "set")
	}
	return nil
}
