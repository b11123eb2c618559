package main

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/e2e/overlay"
	"expenseflow/internal/testneed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seedVariable names the seed of the first schedules; without it each run has new
// ones.
const seedVariable = "CHAOS_SEED"

func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv(seedVariable)
	if text == "" {
		return 1 + rand.Uint64N(1_000_000)
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%s is no number", seedVariable, text)
	}
	return n
}

// A minute of chaos: every class of faults on both databases, at least once each.
func TestNothingIsLostAndNothingIsDoubledWhateverBreaks(t *testing.T) {
	testneed.Node(t)
	testneed.NPM(t, filepath.Join("..", "npm"))
	testneed.HasPostgres(t)
	o := options{
		seed: seed(t), schedules: 1000, fault: "all", db: "both", lanes: 1, race: testneed.Race,
		duration: time.Second, limit: 45 * time.Second, histories: t.ArtifactDir(),
		stuck: time.Minute, // other tests run beside it, and perhaps the race detector
	}
	if testing.Short() {
		o.duration, o.limit = 500*time.Millisecond, time.Millisecond
	}
	t.Logf("%s=%d runs the same schedules again", seedVariable, o.seed)
	total, err := run(t.Context(), o, t.Output())
	var table strings.Builder
	total.print(&table)
	t.Logf("\n%s", &table)
	if err != nil {
		t.Error(err)
	}
}

// classesOfARun is how many classes each run of the test below plays.
const classesOfARun = 2

// Two of these classes in each run, by the seed, with two processes: as they tell each other
// without Redis, and those that are about Redis with it. The program plays all of them.
func TestNothingIsLostWithSeveralProcesses(t *testing.T) {
	testneed.Node(t)
	testneed.NPM(t, filepath.Join("..", "npm"))
	testneed.HasPostgres(t)
	first := seed(t)
	classes := []options{
		{fault: "kill"},
		{fault: "roll"},
		{fault: "cut-postgres"},
		{fault: "listener"},
		{fault: "promote"},
		{fault: "redis", redis: true},
		{fault: "cut-redis", redis: true},
	}
	for i := range uint64(classesOfARun) {
		o := classes[(first+i*3)%uint64(len(classes))]
		o.seed, o.schedules, o.db, o.processes, o.lanes = first, 1, postgres, 2, 1
		o.duration, o.histories, o.stuck = time.Second, t.ArtifactDir(), time.Minute
		t.Logf("%s=%d runs the same schedules again", seedVariable, o.seed)
		total, err := run(t.Context(), o, t.Output())
		var table strings.Builder
		total.print(&table)
		t.Logf("\n%s", &table)
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTheCommandRefusesWhatItCannotRun(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"-fault earthquake", "-fault earthquake: want all or one of kill, cut"},
		{"-db oracle", "-db oracle: want sqlite, postgres or both"},
		{"-schedules 0", "must be above zero"},
		{"-fault database -db sqlite", "needs postgres"},
		{"-redis", "-redis needs -processes above one"},
		{"-processes 2 -db sqlite", "-processes above one needs postgres"},
		{"-fault freeze", "-fault freeze needs several processes"},
		{"-fault redis -processes 2", "-fault redis needs several processes and Redis"},
		{"-prove -bug ghosts", "-prove chooses the bugs"},
		{"-fault listener -processes 2 -redis", "-fault listener needs several processes and no Redis"},
	} {
		var said strings.Builder
		if _, err := parse(strings.Fields(tt.args), &said); err == nil {
			t.Errorf("%s was taken", tt.args)
		}
		if !strings.Contains(said.String(), tt.want) {
			t.Errorf("%s: %q, want %q", tt.args, said.String(), tt.want)
		}
	}
}

// Each class has a bug for -prove, and each class that a bug names is one.
func TestEachClassHasABugThatItHasToFind(t *testing.T) {
	for _, name := range classNames() {
		if overlay.OfClass(name) == "" {
			t.Errorf("%s has no bug", name)
		}
	}
	for _, b := range overlay.Bugs {
		for _, name := range b.Chaos {
			if overlay.OfClass(name) != b.Name || !slices.Contains(classNames(), name) {
				t.Errorf("%s has the class %s, which is none or has another bug", b.Name, name)
			}
		}
	}
}

func TestHelpNamesEveryClass(t *testing.T) {
	var said strings.Builder
	_, _ = parse([]string{"-help"}, &said)
	for _, name := range append(classNames(), "-seed", "-histories") {
		if !strings.Contains(said.String(), name) {
			t.Errorf("the help does not name %s", name)
		}
	}
}

// A run that is told to stop leaves nothing running.
func TestAStoppedRunEnds(t *testing.T) {
	testneed.Node(t)
	testneed.NPM(t, filepath.Join("..", "npm"))
	ctx, stop := context.WithCancel(t.Context())
	said := &stopAfterFirst{stop: stop}
	o := options{
		seed: 1, schedules: 100, fault: "cut", db: sqlite, lanes: 1, stuck: time.Minute, duration: 200 * time.Millisecond,
		histories: t.ArtifactDir(),
	}
	if _, err := run(ctx, o, said); err == nil {
		t.Error("it ran to its end")
	}
}

// stopAfterFirst ends a run when it tells of its first schedule.
type stopAfterFirst struct{ stop func() }

func (s *stopAfterFirst) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "devices,") {
		s.stop()
	}
	return io.Discard.Write(b)
}
