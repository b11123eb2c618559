package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Splitting returns the members that encoding/json reads, and the canonical form is the one
// that encoding/json writes.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, ` { "a" : 1 , "a" : 2 } `, `{"a":{"b":[1,{"c":"]}"}]},"d":"\"{"}`, `{"a!":1,"a":2}`,
		`{"\u0061":1,"a":2}`, `{"a":"<\u003c>","b":1.50,"c":1e3,"d":null,"e":[true,false]}`,
		"{\"a\":\t[ ] ,\r\n\"b\":{ }}", `{"data":{"description":"Lunch","amount":12.5}}`, `"x"`, `-0`, `{"é":"\ud800"}`, `[[],[1 ,2]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if got, want := string(Canonical(body)), string(canonicalSlow(body)); got != want && json.Valid(body) {
			t.Errorf("Canonical(%q) = %q, want %q", body, got, want)
		}
		compareSplit(t, body)
	})
}

func compareSplit(t *testing.T, body []byte) {
	want := map[string]json.RawMessage{}
	got, err := readObject(body)
	if json.Unmarshal(body, &want) != nil || len(want) == 0 {
		return
	}
	if diff := cmp.Diff(object(want), got); diff != "" || err != nil {
		t.Errorf("readObject(%q): %v\n%s", body, err, diff)
	}
}
