//go:build !failpoints

package failpoint_test

import (
	"net/http"
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
