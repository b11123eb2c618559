package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"text/tabwriter"

	"expenseflow/static"
)

// A target is what a figure may be at most.
type target struct {
	name string
	most float64 // 0 is no target
	unit string
}

// sizeFigure is the name of the figure that no browser measures.
const sizeFigure = "size of all files, gzip"

// frame is two frames of a screen with 60 of them a second, as the browser rounds it.
const frame = 33.4

var targets = []target{
	{"first row, first visit", 1000, "ms"},
	{"first row, again", 1000, "ms"},
	{"typing a description", 50, "ms"},
	{"typing a search", 50, "ms"},
	{"frame, by wheel", frame, "ms"},
	{"frame, by scroll bar", frame, "ms"},
	{"frame, empty page", 0, "ms"},
	{sizeFigure, 130, "KiB"},
}

// report prints a row for each target. The error says how many are missed.
func report(w io.Writer, figures map[string][]float64, size int) error {
	figures[sizeFigure] = []float64{float64(size) / 1024}
	missed := 0
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "figure\tat most\tmedian\tworst\tprocessor\t")
	for _, t := range targets {
		most := fmt.Sprintf("%.0f %s", t.most, t.unit)
		if t.most == 0 {
			most = ""
		}
		rounds := slices.Sorted(slices.Values(figures[t.name]))
		if len(rounds) == 0 {
			missed++
			fmt.Fprintf(table, "%s\t%s\tnot there\t\t\tMISSED\n", t.name, most)
			continue
		}
		median, verdict := rounds[len(rounds)/2], ""
		if t.most > 0 && median > t.most {
			missed++
			verdict = "MISSED"
		}
		fmt.Fprintf(table, "%s\t%s\t%.0f\t%.0f\t%s\t%s\n", t.name, most, median, rounds[len(rounds)-1],
			ofProcessor(figures["processor: "+t.name]), verdict)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missed > 0 {
		return fmt.Errorf("%d targets are missed", missed)
	}
	return nil
}

func ofProcessor(figure []float64) string {
	if len(figure) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", figure[0])
}

// pageSize returns how many bytes a browser loads to show the page, each file compressed.
func pageSize() (int, error) {
	size := 0
	err := fs.WalkDir(static.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !static.IsLoaded(name) {
			return err
		}
		content, err := fs.ReadFile(static.Files, name)
		if err != nil {
			return err
		}
		n, err := compressed(content)
		size += n
		return err
	})
	return size, err
}

func compressed(content []byte) (int, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(content); err != nil {
		return 0, err
	}
	err = w.Close()
	return b.Len(), err
}
