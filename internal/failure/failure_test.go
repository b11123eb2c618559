package failure

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/models"
)

// logged returns the lines that do writes.
func logged(do func(*Reporter)) []string {
	var out strings.Builder
	do(New(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))))
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

func TestAFailureIsOneLineAndQuotesNoClient(t *testing.T) {
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	limited := &models.Error{Kind: models.Conflict, Msg: "secret lunch", Code: "EXPENSE_LIMIT", Setting: "MAX_EXPENSES_PER_USER"}
	for _, tt := range []struct {
		name      string
		ctx       context.Context
		err       error
		has, lack []string
	}{
		{
			"the client's", context.Background(), fmt.Errorf("create: %w", models.E(models.Invalid, `"lunch" is not allowed`)),
			[]string{"level=WARN msg=\"http request\" route=/x code=C"},
			[]string{"lunch", "error="},
		},
		{
			"ours", context.Background(), errors.New("disk on fire"),
			[]string{"level=ERROR", "code=C", `error="disk on fire"`},
			nil,
		},
		{
			"a temporary one of ours", context.Background(), models.E(models.Unavailable, "later"),
			[]string{"level=ERROR", "error=later"},
			nil,
		},
		{"of a client that has gone", gone, errors.New("canceled"), []string{"level=DEBUG", "error=canceled"}, nil},
		{
			"a limit's", context.Background(), fmt.Errorf("create: %w", limited),
			[]string{"level=WARN", "setting=MAX_EXPENSES_PER_USER"},
			[]string{"lunch", "error=", "left_out"},
		},
	} {
		lines := logged(func(r *Reporter) { r.Report(tt.ctx, "http request", "C", tt.err, slog.String("route", "/x")) })
		if len(lines) != 1 {
			t.Errorf("%s: %d lines", tt.name, len(lines))
		}
		for _, want := range tt.has {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%s: no %s in %s", tt.name, want, lines[0])
			}
		}
		for _, secret := range tt.lack {
			if strings.Contains(lines[0], secret) {
				t.Errorf("%s: %s in %s", tt.name, secret, lines[0])
			}
		}
	}
}

func TestAFloodOfRefusalsDoesNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := logged(func(r *Reporter) {
			for range 10_000 { // in 10 s
				r.Refused(t.Context(), "refused", "RATE_LIMITED", "RATE_LIMIT")
				time.Sleep(time.Millisecond)
			}
			r.Refused(t.Context(), "refused", "RATE_LIMITED", "SOCKET_RATE") // has lines of its own
		})
		if want := refusalBurst + 9 + 1; len(lines) != want {
			t.Errorf("%d lines, want %d", len(lines), want)
		}
		if last := lines[len(lines)-1]; !strings.HasSuffix(last, "setting=SOCKET_RATE") {
			t.Errorf("the last line is %s", last)
		}
		if one := lines[refusalBurst]; !strings.HasSuffix(one, "setting=RATE_LIMIT left_out=990") {
			t.Errorf("the first line after the burst is %s", one)
		}
	})
}
