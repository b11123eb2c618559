package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"expenseflow/internal/e2e/process"
)

// A server is the program under attack.
type server struct{ *process.Server }

// start runs the program with its default limits on an empty database and returns
// when it is ready.
func start(ctx context.Context, binary, database string) (*server, error) {
	s, err := process.Start(ctx, binary, "DATABASE_URL="+database, "ACCESS_LOG=false",
		"JWT_SECRET=a secret of the floods, long enough to be taken")
	return &server{s}, err
}

// watch notes the peaks until ctx ends.
func (s *server) watch(ctx context.Context, one *round) {
	for pause(ctx, 100*time.Millisecond) == nil {
		one.rssPeak = max(one.rssPeak, s.RSS())
		one.descriptors = max(one.descriptors, s.Descriptors())
	}
	one.survived = s.Alive()
}

// restAfter is how long memory has to come back after a flood.
const restAfter = time.Minute

// rest waits until memory is back, restAfter at the longest.
func (s *server) rest(ctx context.Context, one *round) error {
	for end := time.Now().Add(restAfter); ; {
		one.rssAfter = s.RSS()
		if one.rssAfter <= one.rssBefore+backWithin || time.Now().After(end) {
			return nil
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// attack runs a flood in a process of its own, so that it does not slow the
// others down by sharing theirs.
func (s *server) attack(ctx context.Context, name string, length time.Duration) (answers, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	// An attacker computes elsewhere: this one gets only what the server and the
	// others leave of the processor.
	cmd := exec.CommandContext(ctx, "nice", "-n", "19", self, "-attack", name, "-target", s.Addr, "-length", length.String())
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the attacking process: %w", err)
	}
	var told answers
	return told, json.Unmarshal(out, &told)
}
