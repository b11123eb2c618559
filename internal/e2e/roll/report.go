package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A report is what was counted.
type report struct {
	o                                  options
	samples                            []sample
	phases                             []phase
	changes, events, reconnects, fresh int64
	missed, doubled, failed            int64
}

// print writes the table, in Markdown.
func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "%d sockets of %d users on %d processes, DRAIN_SPREAD=%v, %g changes and %g requests of others a second.\n\n",
		r.o.sockets, r.o.users, r.o.processes, r.o.spread, r.o.changes, r.o.requests)
	fmt.Fprintln(w, "| phase | length, s | reconnects | most in a second | fewest sockets | others' requests: p50, p99, ms |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|")
	for i, p := range r.phases {
		if i+1 == len(r.phases) {
			break
		}
		r.printPhase(w, p, r.phases[i+1].from)
	}
	fmt.Fprintf(w, "\n%d changes, %d events; %d missed, %d doubled; "+
		"%d reconnects, %d of them not recovered; %d requests of others failed.\n",
		r.changes, r.events, r.missed, r.doubled, r.reconnects, r.fresh, r.failed)
}

func (r *report) printPhase(w io.Writer, p phase, until time.Duration) {
	var came, most, fewest int64
	var took []time.Duration
	fewest = int64(r.o.sockets)
	for i, s := range r.samples {
		if s.at < p.from || s.at >= until {
			continue
		}
		came += s.reconnects
		most = max(most, r.inSecond(i))
		fewest = min(fewest, s.open)
		took = append(took, s.took...)
	}
	fmt.Fprintf(w, "| %s | %.1f | %d | %d | %d | %.1f, %.1f |\n", p.name, (until - p.from).Seconds(), came, most, fewest,
		millis(percentile(took, 0.5)), millis(percentile(took, 0.99)))
}

// inSecond is how many reconnects there were in the second that ends with a sample.
func (r *report) inSecond(i int) (n int64) {
	for _, s := range r.samples[max(0, i-int(time.Second/samplePeriod)+1) : i+1] {
		n += s.reconnects
	}
	return n
}

// latest is the 99th percentile of the others' requests in the second that ends with a
// sample.
func (r *report) latest(i int) time.Duration {
	var took []time.Duration
	for _, s := range r.samples[max(0, i-int(time.Second/samplePeriod)+1) : i+1] {
		took = append(took, s.took...)
	}
	return percentile(took, 0.99)
}

func millis(t time.Duration) float64 { return float64(t.Microseconds()) / 1000 }

// write writes the files that were asked for.
func (r *report) write(o options) error {
	if o.csv != "" {
		if err := os.WriteFile(o.csv, r.csv(), 0o644); err != nil {
			return err
		}
	}
	if o.plot == "" {
		return nil
	}
	return os.WriteFile(o.plot, r.svg(), 0o644)
}

func (r *report) csv() []byte {
	var b bytes.Buffer
	b.WriteString("seconds,sockets,reconnects_per_second,p99_ms\n")
	for i, s := range r.samples {
		fmt.Fprintf(&b, "%.2f,%d,%d,%.1f\n", s.at.Seconds(), s.open, r.inSecond(i), millis(r.latest(i)))
	}
	return b.Bytes()
}

// Sizes of the plot.
const (
	plotWidth, panelHeight, margin, left, right = 900, 150, 46, 70, 30
)

// A panel is one curve over time.
type panel struct {
	title string
	value func(i int) float64
}

// svg draws sockets, reconnects and latencies over time, one below the other.
func (r *report) svg() []byte {
	panels := []panel{
		{"sockets", func(i int) float64 { return float64(r.samples[i].open) }},
		{"reconnects in a second", func(i int) float64 { return float64(r.inSecond(i)) }},
		{"p99 of others' requests, ms", func(i int) float64 { return millis(r.latest(i)) }},
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">`+"\n",
		plotWidth, len(panels)*(panelHeight+margin)+margin)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n")
	for i, p := range panels {
		r.draw(&b, p, float64(margin+i*(panelHeight+margin)))
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (r *report) draw(b *bytes.Buffer, p panel, top float64) {
	if len(r.samples) == 0 {
		return
	}
	most, end := 1.0, r.samples[len(r.samples)-1].at.Seconds()
	for i := range r.samples {
		most = max(most, p.value(i))
	}
	x := func(at time.Duration) float64 { return left + at.Seconds()/end*(plotWidth-left-right) }
	var points strings.Builder
	for i, s := range r.samples {
		fmt.Fprintf(&points, "%.1f,%.1f ", x(s.at), top+panelHeight*(1-p.value(i)/most))
	}
	fmt.Fprintf(b, `<text x="%d" y="%.0f" font-weight="bold">%s</text>`+"\n", left, top-8, p.title)
	for _, ph := range r.phases {
		fmt.Fprintf(b, `<line x1="%.1f" y1="%.0f" x2="%.1f" y2="%.0f" stroke="#bbb" stroke-dasharray="3"/>`+"\n",
			x(ph.from), top, x(ph.from), top+panelHeight)
		fmt.Fprintf(b, `<text x="%.1f" y="%.0f" fill="#666" font-size="11">%s</text>`+"\n", x(ph.from)+3, top+panelHeight+13, ph.name)
	}
	fmt.Fprintf(b, `<line x1="%d" y1="%.0f" x2="%d" y2="%.0f" stroke="#333"/>`+"\n", left, top+panelHeight, plotWidth-right, top+panelHeight)
	fmt.Fprintf(b, `<text x="%d" y="%.0f" text-anchor="end">%.0f</text><text x="%d" y="%.0f" text-anchor="end">0</text>`+"\n",
		left-6, top+10, most, left-6, top+panelHeight)
	fmt.Fprintf(b, `<polyline points="%s" fill="none" stroke="#2b6cb0" stroke-width="1.5"/>`+"\n", strings.TrimSpace(points.String()))
}
