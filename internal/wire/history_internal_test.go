package wire

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A history has every field that a client can set.
func TestAFieldIsMissingInHistories(t *testing.T) {
	var names []string
	for _, f := range historyFields {
		names = append(names, f.name)
	}
	if diff := cmp.Diff(fieldKeys, names); diff != "" {
		t.Errorf("fields (-of an expense +of its history):\n%s", diff)
	}
}
