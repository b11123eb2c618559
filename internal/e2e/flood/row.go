package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// What a flood may cost the others and the server.
const (
	maxRatio       = 2.0
	maxSignInRatio = 3.0
	maxGrowth      = 256 << 20
	// backWithin is how far above its earlier size the server may stay: pages that
	// its database and its heap keep for the next request.
	backWithin = 64 << 20
	// leastP99 is the percentile below which a ratio says nothing: two scheduling
	// quanta of a machine whose cores are all busy.
	leastP99 = 10 * time.Millisecond
)

// A round is what one server lived through.
type round struct {
	before, during               latencies
	rssBefore, rssPeak, rssAfter int64 // bytes
	descriptors                  int
	survived                     bool
	told                         answers
}

// answers counts what a flood was told, by status or cause.
type answers map[string]int

// worst is the kind of work that suffered most and by how much.
func (r *round) worst() (kind string, ratio float64) {
	for k, during := range r.during.kinds() {
		before := max(r.before.p99(k), leastP99)
		if q := float64(max(during, leastP99)) / float64(before); q > ratio {
			kind, ratio = k, q
		}
	}
	return kind, ratio
}

func (r *round) growth() int64 { return max(0, r.rssPeak-r.rssBefore) }

// String is the round in one line.
func (r *round) String() string {
	kind, ratio := r.worst()
	return fmt.Sprintf("%s p99 %v -> %v (%.2f), %d of %d failed, RSS %d -> %d -> %d MiB, %d descriptors, survived %v, told %s",
		kind, round2(r.before.p99(kind)), round2(r.during.p99(kind)), ratio, r.during.failed(), r.during.count(),
		r.rssBefore>>20, r.rssPeak>>20, r.rssAfter>>20, r.descriptors, r.survived, r.told)
}

// String lists the answers, most frequent first.
func (a answers) String() string {
	keys := slices.SortedFunc(maps.Keys(a), func(x, y string) int { return a[y] - a[x] })
	var parts []string
	for _, k := range keys[:min(4, len(keys))] {
		parts = append(parts, fmt.Sprintf("%d x %s", a[k], k))
	}
	return strings.Join(parts, ", ")
}

func round2(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

// A row is a flood's rounds in the table.
type row struct {
	flood  *flood
	rounds []round
}

const header = "| flood | worst of the others | p99 before -> during, ms | ratio | others failed | RSS before -> peak -> " +
	"after, MiB | descriptors | what it was told | |\n" +
	"|---|---|---|---|---|---|---|---|---|"

// median returns the round whose ratio is the middle one.
func (r *row) median() *round {
	slices.SortFunc(r.rounds, func(a, b round) int {
		_, x := a.worst()
		_, y := b.worst()
		return int(1000 * (x - y))
	})
	return &r.rounds[len(r.rounds)/2]
}

// broken reports whether the promise does not hold.
func (r *row) broken() bool {
	m := r.median()
	kind, ratio := m.worst()
	limit := maxRatio
	if kind == kindSignIn {
		limit = maxSignInRatio
	}
	return ratio > limit || m.growth() > maxGrowth || m.rssAfter > m.rssBefore+backWithin || m.during.failed() > 0 ||
		slices.ContainsFunc(r.rounds, func(one round) bool { return !one.survived })
}

// String is the row in Markdown.
func (r *row) String() string {
	m := r.median()
	kind, ratio := m.worst()
	verdict := "kept"
	if r.broken() {
		verdict = "**broken**"
	}
	return fmt.Sprintf("| %s | %s | %.1f -> %.1f | %.2f | %d of %d | %d -> %d -> %d | %d | %s | %s |",
		r.flood.about, kind, ms(m.before.p99(kind)), ms(m.during.p99(kind)), ratio, m.during.failed(), m.during.count(),
		m.rssBefore>>20, m.rssPeak>>20, m.rssAfter>>20, m.descriptors, m.told, verdict)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
