package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// A row is one call with both answers.
type row struct {
	call
	original string // where the original's route stands, "" if it has none
	ours     answer
	failed   error
}

// compare asks for every call. Calls that end a session or delete come last, so
// that they take nothing from the others.
func compare(ctx context.Context, c *client, calls []call, routes []route) []row {
	rows := make([]row, len(calls))
	for _, last := range []bool{false, true} {
		for i, asked := range calls {
			if ends(asked) != last {
				continue
			}
			rows[i].call = asked
			if r, ok := answering(routes, asked); ok {
				rows[i].original = r.where
			}
			rows[i].ours, rows[i].failed = c.ask(ctx, asked)
		}
	}
	return rows
}

func ends(c call) bool {
	return c.method == http.MethodDelete || strings.HasSuffix(c.path, "/logout") || strings.HasSuffix(c.path, "/revoke-all")
}

// missing counts the calls that the original answers and this server does not.
func missing(rows []row) int {
	n := 0
	for _, r := range rows {
		if r.original != "" && (r.failed != nil || !r.ours.known) {
			n++
		}
	}
	return n
}

func printTable(w io.Writer, rows []row) error {
	var b strings.Builder
	b.WriteString("| call | from | the original | this server |\n|---|---|---|---|\n")
	for _, r := range rows {
		query := ""
		if r.query != "" {
			query = "?" + r.query
		}
		fmt.Fprintf(&b, "| `%s %s%s` | %s:%d | %s | %s |\n", r.method, r.path, query, r.file, r.line, theirs(r.original), r.answer())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func theirs(where string) string {
	if where == "" {
		return "no route"
	}
	return where
}

func (r row) answer() string {
	switch {
	case r.failed != nil:
		return "failed: " + r.failed.Error()
	case !r.ours.known:
		return "404, no route"
	case r.ours.says != "":
		return fmt.Sprintf("%d: %s", r.ours.status, strings.ReplaceAll(r.ours.says, "|", `\|`))
	default:
		return fmt.Sprint(r.ours.status)
	}
}
