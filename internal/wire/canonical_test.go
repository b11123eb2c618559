package wire_test

import (
	"encoding/json"
	"testing"

	"expenseflow/internal/wire"
)

func TestCanonicalIsOneSpelling(t *testing.T) {
	for _, s := range []string{`{"b":1,"a":[1.50,"x"]}`, ` { "a" : [1.50,"x"] , "b":1 } `, `{"b":2,"a":[1.50,"\u0078"],"b":1}`} {
		if got := string(wire.Canonical(json.RawMessage(s))); got != `{"a":[1.50,"x"],"b":1}` {
			t.Errorf("%s: got %s", s, got)
		}
	}
}
