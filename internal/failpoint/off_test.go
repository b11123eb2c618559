//go:build !failpoints

package failpoint_test

import (
	"net/http"
	"os/exec"
	"testing"

	"expenseflow/internal/failpoint"
)

func TestWithoutTheTagNobodyDies(t *testing.T) {
	t.Setenv("FAILPOINT", string(failpoint.MidWrite))
	h := http.NewServeMux()
	if failpoint.Answers(h) != http.Handler(h) {
		t.Error("Answers wraps the handler")
	}
	for _, p := range failpoint.Points {
		failpoint.Here(p)
		failpoint.If(true, p)
		failpoint.After(p, func() { t.Errorf("%s was reached", p) })
	}
}

// The tests of the other half of the package need its tag.
func TestWithTheTag(t *testing.T) {
	if out, err := exec.Command("go", "test", "-tags", "failpoints", ".").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
