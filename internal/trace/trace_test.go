package trace

import (
	"context"
	"log/slog"
	"strings"
	"testing"
)

const (
	someTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	someSpan  = "00f067aa0ba902b7"
)

// The cases are those of the W3C's own suite, as far as they concern one header.
func TestParse(t *testing.T) {
	valid := "00-" + someTrace + "-" + someSpan + "-01"
	for _, tt := range []struct {
		name, sent string
		ok         bool
	}{
		{"as in the standard", valid, true},
		{"with space around it", " " + valid + "\t", true},
		{"another flag", "00-" + someTrace + "-" + someSpan + "-00", true},
		{"a later version", "cc-" + someTrace + "-" + someSpan + "-01", true},
		{"a later version that continues", "cc-" + someTrace + "-" + someSpan + "-01-what-the-future-brings", true},
		{"a later version that continues without a hyphen", "cc-" + someTrace + "-" + someSpan + "-01.x", false},
		{"version 00 that continues", valid + "-x", false},
		{"the forbidden version", "ff-" + someTrace + "-" + someSpan + "-01", false},
		{"no trace", "00-" + strings.Repeat("0", 32) + "-" + someSpan + "-01", false},
		{"no span", "00-" + someTrace + "-" + strings.Repeat("0", 16) + "-01", false},
		{"capitals", "00-" + strings.ToUpper(someTrace) + "-" + someSpan + "-01", false},
		{"no hexadecimal", "00-" + strings.Replace(someTrace, "4", ".", 1) + "-" + someSpan + "-01", false},
		{"too short", valid[:54], false},
		{"nothing", "", false},
	} {
		trace, span := Parse(tt.sent)
		if got := trace == someTrace && span == someSpan; got != tt.ok || (trace == "") != (span == "") {
			t.Errorf("%s: %q and %q", tt.name, trace, span)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("00-" + someTrace + "-" + someSpan + "-01")
	f.Add("cc-" + someTrace + "-" + someSpan + "-01-x")
	f.Fuzz(func(t *testing.T, sent string) {
		trace, span := Parse(sent)
		if trace == "" && span == "" {
			return
		}
		if len(trace) != 32 || len(span) != 16 || !isHex(trace+span) || !strings.Contains(sent, trace+"-"+span) {
			t.Errorf("%q: %q and %q", sent, trace, span)
		}
	})
}

func TestLinesHaveTheIDsOfTheirContext(t *testing.T) {
	var out strings.Builder
	log := slog.New(Handler(slog.NewTextHandler(&out, nil))).With(slog.Int("process", 7))
	ctx := With(context.Background(), Context{RequestID: "r1", TraceID: someTrace, SpanID: someSpan})

	log.InfoContext(ctx, "with all")
	log.InfoContext(With(ctx, Context{RequestID: "r2"}), "with one")
	log.Info("without")

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range []string{
		"process=7 request_id=r1 trace_id=" + someTrace + " span_id=" + someSpan, "process=7 request_id=r2", "process=7",
	} {
		if !strings.HasSuffix(lines[i], want) {
			t.Errorf("%s: no %s", lines[i], want)
		}
	}
}

func TestOnlyHarmlessIDsOfClientsAreKept(t *testing.T) {
	for given, kept := range map[string]bool{
		"proxy-7.a_B": true, "": false, "with space": false, "new\nline": false, strings.Repeat("x", MaxID+1): false,
	} {
		if got := IDOr(given); (got == given) != kept {
			t.Errorf("given %q, got %q", given, got)
		}
	}
}
