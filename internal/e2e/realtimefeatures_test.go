package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"expenseflow/internal/testneed"
)

// The document "Real-time Features" of the second frontend, sentence by sentence:
// its snippets run as they are written in npm/realtime-features.js.
func TestTheSecondFrontendsDocumentRunsAsWritten(t *testing.T) {
	t.Parallel()
	path := testneed.Node(t)
	testneed.NPM(t, npmDir)
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	metrics := fmt.Sprintf("127.0.0.1:%d", port)
	p := startRaced(t, "NOTIFY_EXPENSES=true", "NOTIFY_BALANCE=true", "MAX_CONNECTIONS_PER_USER=5", "METRICS_ADDR="+metrics)
	cmd := exec.CommandContext(t.Context(), path, "realtime-features.js", p.url(), "http://"+metrics)
	cmd.Dir = npmDir
	dieWithParent(cmd)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s%s", err, out, &stderr)
	}
	steps := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	for _, step := range steps {
		var s struct{ Sentence, Failed string }
		if err := json.Unmarshal(step, &s); err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		if s.Failed != "" {
			t.Errorf("%s: %s", s.Sentence, s.Failed)
		}
	}
	if len(steps) < 20 {
		t.Errorf("only %d sentences were tried", len(steps))
	}
}
