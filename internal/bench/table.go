package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// A table collects what was measured.
type table struct {
	peers  []string
	values map[string]map[string]values // figure, peer
	failed []string
}

// values are those of the rounds in which there was one.
type values map[int]float64

func (v values) summary() (median, least, greatest float64) {
	return summary(slices.Collect(maps.Values(v)))
}

func (t *table) add(peer string, round int, r result) {
	if !slices.Contains(t.peers, peer) {
		t.peers = append(t.peers, peer)
	}
	if t.values == nil {
		t.values = map[string]map[string]values{}
	}
	for name, v := range r {
		if t.values[name] == nil {
			t.values[name] = map[string]values{}
		}
		if t.values[name][peer] == nil {
			t.values[name][peer] = values{}
		}
		t.values[name][peer][round] = v
	}
}

func (t *table) fail(work, peer string, err error) {
	t.failed = append(t.failed, fmt.Sprintf("%s, %s: %v", work, peer, err))
}

// print writes the tables, what failed, and the lines for machines.
func (t *table) print(w io.Writer) {
	t.printPeers(w, []string{ours, node, bun, zishangV2, zishangV3, floor})
	t.printPeers(w, []string{oursSQLite, oursPostgres, nodeApp})
	t.printPeers(w, []string{ourCrowd})
	t.printPeers(w, []string{metricsOn, metricsOff})
	t.printPeers(w, []string{oursByRedis, oursByNotify, oursAlone, nodeByRedis})
	for _, line := range t.failed {
		fmt.Fprintln(w, "failed:", line)
	}
	t.printLines(w)
}

// printPeers writes one table, in Markdown, of those peers that were measured.
func (t *table) printPeers(w io.Writer, peers []string) {
	peers = slices.DeleteFunc(peers, func(p string) bool { return !slices.Contains(t.peers, p) })
	if len(peers) == 0 {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	fmt.Fprintf(tw, "|\t| %s\t| ours/Node\t|\n|-\t%s| -\t|\n", strings.Join(peers, "\t| "), strings.Repeat("| -\t", len(peers)))
	for _, f := range figures {
		if cells, some := t.cells(f, peers); some {
			fmt.Fprintf(tw, "| %s\t| %s\t| %s\t|\n", f.title, strings.Join(cells, "\t| "), t.ratioCell(f))
		}
	}
	_ = tw.Flush()
	fmt.Fprintln(w)
}

// cells are a figure's values of these peers; some says that there is one.
func (t *table) cells(f figure, peers []string) (cells []string, some bool) {
	for _, p := range peers {
		v := t.values[f.name][p]
		median, least, greatest := v.summary()
		some = some || len(v) > 0
		switch len(v) {
		case 0:
			cells = append(cells, "–")
		case 1:
			cells = append(cells, short(median))
		default:
			cells = append(cells, fmt.Sprintf("%s (%s–%s)", short(median), short(least), short(greatest)))
		}
	}
	return cells, some
}

// compared are the pairs of peers whose ratio the table shows.
var compared = [][2]string{{ours, node}, {oursPostgres, nodeApp}, {oursByRedis, nodeByRedis}, {metricsOn, metricsOff}}

// compare gives the values of the first pair that has both, round by round.
func (t *table) compare(f figure) (a, b values, ok bool) {
	for _, pair := range compared {
		a, b := t.values[f.name][pair[0]], t.values[f.name][pair[1]]
		if f.better != "" && len(a) > 0 && len(b) > 0 {
			return a, b, true
		}
	}
	return nil, nil, false
}

// ratio gives the median of the one over the median of the other.
func (t *table) ratio(f figure) (float64, bool) {
	a, b, ok := t.compare(f)
	if !ok {
		return 0, false
	}
	ma, _, _ := a.summary()
	mb, _, _ := b.summary()
	return ma / mb, mb != 0
}

// ratioCell has the ratio, and the range of the ratios of each round if there are several.
func (t *table) ratioCell(f figure) string {
	r, ok := t.ratio(f)
	if !ok {
		return ""
	}
	a, b, _ := t.compare(f)
	var rounds []float64
	for round, v := range a {
		if other, ok := b[round]; ok {
			rounds = append(rounds, v/other)
		}
	}
	if len(rounds) < 2 {
		return fmt.Sprintf("%.2f (%s is better)", r, f.better)
	}
	_, least, greatest := summary(rounds)
	return fmt.Sprintf("%.2f (%.2f–%.2f, %s is better)", r, least, greatest, f.better)
}

func (t *table) printLines(w io.Writer) {
	for _, f := range figures {
		if r, ok := t.ratio(f); ok {
			fmt.Fprintf(w, "ratio %s %.3f\n", f.name, r)
		}
		for _, p := range t.peers {
			if v := t.values[f.name][p]; len(v) > 0 {
				median, _, _ := v.summary()
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
