package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// A table collects what was measured.
type table struct {
	peers  []string
	values map[string]map[string][]float64 // figure, peer, one per round
	failed []string
}

func (t *table) add(peer string, r result) {
	if !slices.Contains(t.peers, peer) {
		t.peers = append(t.peers, peer)
	}
	if t.values == nil {
		t.values = map[string]map[string][]float64{}
	}
	for name, v := range r {
		if t.values[name] == nil {
			t.values[name] = map[string][]float64{}
		}
		t.values[name][peer] = append(t.values[name][peer], v)
	}
}

func (t *table) fail(work, peer string, err error) {
	t.failed = append(t.failed, fmt.Sprintf("%s, %s: %v", work, peer, err))
}

// print writes the table, what failed, and the lines for machines.
func (t *table) print(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "\t%s\tours/node\n", strings.Join(t.peers, "\t"))
	for _, f := range figures {
		if t.values[f.name] != nil {
			fmt.Fprintf(tw, "%s\t%s\t%s\n", f.title, strings.Join(t.cells(f), "\t"), t.ratioCell(f))
		}
	}
	_ = tw.Flush()
	for _, line := range t.failed {
		fmt.Fprintln(w, "failed:", line)
	}
	t.printLines(w)
}

func (t *table) cells(f figure) []string {
	var cells []string
	for _, p := range t.peers {
		v := t.values[f.name][p]
		median, least, greatest := summary(v)
		switch len(v) {
		case 0:
			cells = append(cells, "–")
		case 1:
			cells = append(cells, short(median))
		default:
			cells = append(cells, fmt.Sprintf("%s (%s–%s)", short(median), short(least), short(greatest)))
		}
	}
	return cells
}

// ratio gives ours over Node's, in whichever application or protocol pair has both.
func (t *table) ratio(f figure) (float64, bool) {
	for _, pair := range [][2]string{{ours, node}, {oursPostgres, nodeApp}} {
		a, b := t.values[f.name][pair[0]], t.values[f.name][pair[1]]
		if f.better == "" || len(a) == 0 || len(b) == 0 {
			continue
		}
		ma, _, _ := summary(a)
		mb, _, _ := summary(b)
		return ma / mb, mb != 0
	}
	return 0, false
}

func (t *table) ratioCell(f figure) string {
	r, ok := t.ratio(f)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.2f (%s is better)", r, f.better)
}

func (t *table) printLines(w io.Writer) {
	for _, f := range figures {
		if r, ok := t.ratio(f); ok {
			fmt.Fprintf(w, "ratio %s %.3f\n", f.name, r)
		}
		for _, p := range t.peers {
			if v := t.values[f.name][p]; len(v) > 0 {
				median, _, _ := summary(v)
				fmt.Fprintf(w, "value %s/%s %.4g\n", f.name, p, median)
			}
		}
	}
}

func short(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
