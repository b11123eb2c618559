package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// sendFile sends a file as it is.
func (a *account) sendFile(path, file string) (answer, error) {
	return try(http.MethodPost, a.p.url()+path, a.Token, file)
}

// The process is killed in the middle of a file, with pages open: the same file again brings the
// rest, each row once, and every page has heard each entry once.
func TestKilledInTheMiddleOfAFile(t *testing.T) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			killedInAFile(t, start(t, db.settings(t)...))
		})
	}
}

func killedInAFile(t *testing.T, p *program) {
	const rows = 5000 // 25 transactions
	ann, n := register(t, p), startNode(t)
	laptop := n.connect(t, ann, transports[1])
	page := n.openPage(t, p.url(), ann, "device_of_ann", transports[2], seconds30)
	file, want := fileOf(rows)

	first := make(chan error, 1)
	go func() {
		a, err := ann.sendFile("/api/import?name=long.csv", file)
		if err == nil {
			err = fmt.Errorf("answered %d", a.status)
		}
		first <- err
	}()
	laptop.hear(t, 1, "import_progress")
	if err := p.kill(); err != nil {
		t.Fatal(err)
	}
	if err := <-first; strings.Contains(err.Error(), "answered") {
		t.Fatalf("the import %v before the process was killed", err)
	}
	restart(t, p)
	laptop.await(t, "connect", 2)
	page.await(t, "connect", 2)
	if here := len(ann.expenses(t)); here == 0 || here == rows {
		t.Fatalf("%d of %d rows are here after the death, so it was not in the middle", here, rows)
	}

	again := ann.call(t, http.MethodPost, "/api/import?name=long.csv", file).want(t, http.StatusCreated)
	var done struct {
		Import struct {
			Created int
			State   string
		}
		Totals struct{ Rows, New, Duplicates int }
	}
	again.into(t, &done)
	if done.Import.State != "done" || done.Import.Created != rows || done.Totals.New+done.Totals.Duplicates != rows {
		t.Errorf("again: %s", again.body[:min(len(again.body), 400)])
	}
	var got []string
	ids := map[string]bool{}
	for _, e := range ann.expenses(t) {
		got, ids[e.ID] = append(got, e.Description), true
	}
	slices.Sort(got)
	same(t, "entries", want, got)
	for name, d := range map[string]*device{"laptop": laptop, "old page": page.device} {
		heard := map[string]int{}
		for _, e := range d.hear(t, rows, "expense_created") {
			heard[idOf(e)]++
		}
		for id, times := range heard {
			if times != 1 || !ids[id] {
				t.Errorf("the %s heard of %s %d times; it is here: %v", name, id, times, ids[id])
			}
		}
		same(t, name+" heard of entries", rows, len(heard))
	}
	same(t, "rows of the old page", rows, len(page.state(t).Rows))
}

// fileOf returns a file of so many rows, and their descriptions in order.
func fileOf(rows int) (file string, descriptions []string) {
	var b strings.Builder
	b.WriteString("Date,Text,Amount\n")
	for i := range rows {
		text := fmt.Sprintf("Row %06d", i)
		fmt.Fprintf(&b, "2026-01-%02d,%s,-1.%02d\n", 1+i%28, text, i%100)
		descriptions = append(descriptions, text)
	}
	return b.String(), descriptions
}
