package rawjson

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seeds are JSON in which brackets, quotes and white space stand where they mislead.
var seeds = []string{
	`{}`, `[]`, ` { "a" : 1 , "a" : 2 } `, `{"a":{"b":[1,{"c":"]}"}]},"d":"\"{"}`, `{"a!":1,"a":2}`,
	`{"\u0061":1,"a":2}`, `{"a":"<\u003c>","b":1.50,"c":1e3,"d":null,"e":[true,false]}`,
	"{\"a\":\t[ ] ,\r\n\"b\":{ }}", `{"data":{"description":"Lunch","amount":12.5}}`, `"x"`, `-0`, `{"é":"\ud800"}`,
	`[[],[1 ,2]]`, `[[[[]]]]`, `"\\"`, `["\\",1]`, "\"\xff\"",
}

// What is taken apart by hand is what encoding/json reads.
func FuzzReadsWhatEncodingJSONReads(f *testing.F) {
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if b = bytes.TrimSpace(b); !json.Valid(b) {
			return
		}
		if end := End(b, 0); end != len(b) {
			t.Errorf("End(%q) = %d, want %d", b, end, len(b))
		}
		switch b[0] {
		case '{':
			checkMembers(t, b)
		case '[':
			checkElements(t, b)
		case '"':
			checkText(t, b)
		}
		checkDepth(t, b)
	})
}

func checkMembers(t *testing.T, b []byte) {
	want := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &want); err != nil {
		return // deeper than encoding/json reads
	}
	got := map[string]json.RawMessage{}
	for key, value := range Members(b) {
		got[Text(key)] = value
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Members(%q) (-want +got):\n%s", b, diff)
	}
}

func checkElements(t *testing.T, b []byte) {
	var want []json.RawMessage
	if err := json.Unmarshal(b, &want); err != nil {
		return
	}
	got := []json.RawMessage{}
	for value := range Elements(b) {
		got = append(got, value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Elements(%q) (-want +got):\n%s", b, diff)
	}
}

func checkText(t *testing.T, b []byte) {
	var want string
	if err := json.Unmarshal(b, &want); err != nil || Text(b) != want {
		t.Errorf("Text(%q) = %q, want %q", b, Text(b), want)
	}
}

// checkDepth counts the containers with encoding/json's tokens.
func checkDepth(t *testing.T, b []byte) {
	depth, deepest := 0, 0
	for dec := json.NewDecoder(bytes.NewReader(b)); ; {
		token, err := dec.Token()
		if err != nil {
			break
		}
		switch token {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
		deepest = max(deepest, depth)
	}
	if DeeperThan(deepest, b) || deepest > 0 && !DeeperThan(deepest-1, b) {
		t.Errorf("%q is %d deep", b, deepest)
	}
}

// A caller that has seen enough stops the iteration.
func TestIterationMayStop(t *testing.T) {
	for key := range Members([]byte(`{"a":1,"b":2}`)) {
		if Text(key) != "a" {
			t.Fatalf("went on to %s", key)
		}
		break
	}
	for value := range Elements([]byte(`[1,2]`)) {
		if string(value) != "1" {
			t.Fatalf("went on to %s", value)
		}
		break
	}
}

func TestTextOfWhatIsNoStringIsEmpty(t *testing.T) {
	for _, raw := range []string{``, `1`, `null`, `{"a":"b"}`, `["x"]`} {
		if got := Text(json.RawMessage(raw)); got != "" {
			t.Errorf("Text(%s) = %q", raw, got)
		}
	}
}

// Strings are written as encoding/json writes them, with and without escapes for pages.
func FuzzWritesWhatEncodingJSONWrites(f *testing.F) {
	for _, seed := range []string{"", "Lunch", "a<b>&\"\\", "\x00\b\f\n\r\t\x1f\x7f", "é測🦄", "\u2028\u2029", "\xff\xc3(", "\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var want bytes.Buffer
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(s)
		if got := string(AppendString([]byte("x"), s)) + "\n"; got != "x"+want.String() {
			t.Errorf("AppendString(%q) = %s, want %s", s, got, want.String())
		}
		marshaled, _ := json.Marshal(s)
		if got := string(AppendHTMLString(nil, s)); got != string(marshaled) {
			t.Errorf("AppendHTMLString(%q) = %s, want %s", s, got, marshaled)
		}
	})
}

func BenchmarkAppendHTMLString(b *testing.B) {
	for name, s := range map[string]string{"ascii": "Lunch with the team on Friday", "other": "Mittagessen für fünf Gäste"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 128)
			for b.Loop() {
				buf = AppendHTMLString(buf[:0], s)
			}
		})
	}
}
