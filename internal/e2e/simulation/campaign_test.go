package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestACampaignPlaysEachHistoryOnce(t *testing.T) {
	t.Parallel()
	c := newCampaign("seeds", 30, io.Discard)
	if err := c.run(t.Context(), seedJobs(1, 30)); err != nil {
		t.Fatal(err)
	}
	l := open(t)
	for seed := range int64(30) {
		if _, err := l.play(t.Context(), seed+1); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := c.String(), l.tally.String()+l.outcomes.String(); c.done.Load() != 30 || !strings.HasSuffix(got, want) {
		t.Errorf("played\n%s\nbut one after the other\n%s", got, want)
	}
}

func TestACampaignEndsWithTheFirstFailure(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	var begun atomic.Int64
	forever := func(yield func(job) bool) {
		for yield(func(context.Context, *harness) error {
			if begun.Add(1) == 5 {
				return broken
			}
			return nil
		}) {
		}
	}
	if err := newCampaign("seeds", 1000, io.Discard).run(t.Context(), forever); !errors.Is(err, broken) {
		t.Errorf("it ends with %v", err)
	}
}

func TestACampaignSaysHowLongTheRestTakes(t *testing.T) {
	t.Parallel()
	c := newCampaign("seeds", 1000, io.Discard)
	if got := c.progress(time.Second); got != "0 of 1000 seeds in 1s" {
		t.Error(got)
	}
	c.done.Store(250)
	if got := c.progress(10 * time.Second); got != "250 of 1000 seeds in 10s, 25 a second, 30s left" {
		t.Error(got)
	}
}

func TestACaseIsPlayedAgainByItsNumber(t *testing.T) {
	t.Parallel()
	for n, s := range smallScope(5000) {
		if again := caseOf(n); !slices.Equal(s.order, again.order) || s.scripts[0].name != again.scripts[0].name {
			t.Fatalf("case %d is %v, and then %v", n, s.order, again.order)
		}
		if n > 20_000 {
			break
		}
	}
}
