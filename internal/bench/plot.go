package main

import (
	"fmt"
	"math"
	"os"
	"strings"
)

// The plot's measures, in SVG units.
const (
	plotWidth  = 1080
	plotLabel  = 640
	plotRow    = 26
	plotTop    = 64
	plotBar    = 14
	plotMargin = 150
)

// writePlot draws how many times better ours is than Node, one bar a figure, on
// a logarithmic scale with the figures of this run.
func (t *table) writePlot(path string) error {
	type bar struct {
		title string
		times float64
	}
	var bars []bar
	longest := 2.0
	for _, f := range figures {
		r, ok := t.ratio(f)
		if !ok || r <= 0 {
			continue
		}
		if f.better == "less" {
			r = 1 / r
		}
		bars = append(bars, bar{t.title(f), r})
		longest = max(longest, r, 1/r)
	}
	var b strings.Builder
	height := plotTop + plotRow*len(bars) + 20
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img" aria-label="How many times better expenseflow is than the Node peer">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/>`+"\n"+
		`<text x="16" y="26" font-size="16" font-weight="bold">How many times better than the Node peer (logarithmic)</text>`+"\n")
	zero, unit := plotScale(longest)
	fmt.Fprintf(&b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#555"/><text x="%.1f" y="%d" text-anchor="middle" fill="#555">1×</text>`+"\n", zero, plotTop-8, zero, height-12, zero, plotTop-14)
	for i, bar := range bars {
		y := plotTop + i*plotRow
		x, width, colour := zero, math.Log(bar.times)*unit, "#0b6b58"
		if width < 0 {
			x, width, colour = zero+width, -width, "#b3452c"
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, plotLabel-plotMargin, y+plotBar-2, escape(bar.title))
		fmt.Fprintf(&b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`, x, y, max(width, 1), plotBar, colour)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d">%s×</text>`+"\n", x+width+6, y+plotBar-2, short(bar.times))
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

// plotScale gives where 1× stands and how wide a factor of e is.
func plotScale(longest float64) (zero, unit float64) {
	room := float64(plotWidth - plotLabel - plotMargin)
	return plotLabel, room / math.Log(longest)
}

// title is a figure's whole title: one that begins with "…" goes on where the
// one before it did.
func (t *table) title(f figure) string {
	rest, ok := strings.CutPrefix(f.title, "… ")
	if !ok {
		return f.title
	}
	var head string
	for _, other := range figures {
		if other.name == f.name {
			break
		}
		if !strings.HasPrefix(other.title, "… ") {
			head, _, _ = strings.Cut(other.title, ":")
		}
	}
	return head + ": " + rest
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
