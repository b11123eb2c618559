package socketio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// binaryJSON is an argument as a client sent it: JSON in which each "$0", "$1" ... stands for
// one of the attachments.
func binaryJSON(raw string, attachments ...string) binaryArg {
	a := binaryArg{}
	for i, data := range attachments {
		raw = strings.ReplaceAll(raw, "$"+string(rune('0'+i)), string(appendPlaceholder(nil, i)))
		a.attachments = append(a.attachments, []byte(data))
	}
	a.raw = json.RawMessage(raw)
	return a
}

func TestEncodeSendsArgumentsAsJSONWithAttachments(t *testing.T) {
	tests := []struct {
		name string
		args []any
		want []string
	}{
		{"binary by itself", []any{binaryJSON(`$0`, "ab")}, []string{`51-["e",{"_placeholder":true,"num":0}]`, "<6162>"}},
		{"empty binary", []any{binaryJSON(`$0`, "")}, []string{`51-["e",{"_placeholder":true,"num":0}]`, "<>"}},
		{
			"attachments are numbered anew",
			[]any{binaryJSON(`[$1,$0]`, "a", "b"), 1, binaryJSON(`{"c":$0}`, "c")},
			[]string{
				`53-["e",[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}],1,{"c":{"_placeholder":true,"num":2}}]`,
				"<62>", "<61>", "<63>",
			},
		},
		{"binary inside another value", []any{map[string]any{"b": binaryJSON(`$0`, "ab")}}, []string{`2["e",{"b":"YWI="}]`}},
		{"base64 is for []byte", []any{[]byte("ab")}, []string{`2["e","YWI="]`}},
		{"raw JSON as it is", []any{json.RawMessage(`{"a": 1}`), json.RawMessage(nil)}, []string{`2["e",{"a": 1},null]`}},
		{"no HTML escapes", []any{"<a&b>", map[string]any{"k": "<"}}, []string{`2["e","<a&b>",{"k":"<"}]`}},
		{"nil values", []any{nil, map[string]any(nil), []any(nil)}, []string{`2["e",null,null,null]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := testClient{t: t}
			c.keep(mustEncode(t, "/", "e", tt.args...).group(parserJSON))
			if diff := cmp.Diff(tt.want, c.sent); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefusesWhatCannotBeSent(t *testing.T) {
	loop := map[string]any{}
	loop["loop"] = loop
	for name, arg := range map[string]any{
		"a loop":                loop,
		"a function":            func() {},
		"broken JSON":           json.RawMessage(`{"a":`),
		"broken JSON inside":    map[string]any{"x": json.RawMessage(`{`)},
		"broken UTF-8":          json.RawMessage("\"\xff\""),
		"a channel in an any":   []any{make(chan int)},
		"a failing MarshalJSON": failing{},
	} {
		if _, err := Encode("/", "e", arg); err == nil {
			t.Errorf("%s was encoded", name)
		}
	}
	for name := range reservedEvents {
		if _, err := Encode("/", name); !errors.Is(err, ErrReserved) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Encode("/", ""); err == nil {
		t.Error("an event without a name was encoded")
	}
}

type failing struct{}

func (failing) MarshalJSON() ([]byte, error) { return nil, errors.New("no") }

// Arguments are encoded as encoding/json does without HTML escapes.
func TestArgumentsAreWhatEncodingJSONMakesOfThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genValue(3).Draw(t, "value")
		var want strings.Builder
		enc := json.NewEncoder(&want)
		enc.SetEscapeHTML(false)
		if err := enc.Encode([]any{"e", v}); err != nil {
			t.Fatal(err)
		}
		p, err := Encode("/", "e", v)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(p.body) + "\n"; got != want.String() {
			t.Fatalf("got %s, want %s", got, want.String())
		}
	})
}

// genValue makes JSON values of some depth.
func genValue(depth int) *rapid.Generator[any] {
	leaf := rapid.OneOf(
		rapid.String().AsAny(), rapid.Int().AsAny(), rapid.Bool().AsAny(), rapid.Float64().AsAny(), rapid.Just[any](nil),
	)
	if depth == 0 {
		return leaf
	}
	return rapid.OneOf(
		leaf,
		rapid.SliceOfN(genValue(depth-1), 0, 4).AsAny(),
		rapid.MapOfN(rapid.String(), genValue(depth-1), 0, 4).AsAny(),
	)
}

func TestEventDecodesBinary(t *testing.T) {
	p, err := decodeAll(testLimits,
		text(`52-["e",{"_placeholder":true,"num":1},{"bytes":{"_placeholder":true,"num":0},"n":7},`+
			`[1,{"_placeholder":true,"num":0}],5]`),
		blob("first"), blob("second"))
	if err != nil {
		t.Fatal(err)
	}
	e := &Event{Name: p.name, Args: p.args, Attachments: p.attachments}
	var (
		whole []byte
		part  struct {
			Bytes []byte
			N     int
		}
		mixed []any
		n     int
	)
	for i, v := range []any{&whole, &part, &mixed, &n} {
		if err := e.Decode(i, v); err != nil {
			t.Fatal(err)
		}
	}
	if string(whole) != "second" || string(part.Bytes) != "first" || part.N != 7 || n != 5 {
		t.Errorf("decoded %q, %+v, %d", whole, part, n)
	}
	if diff := cmp.Diff([]any{1.0, "Zmlyc3Q="}, mixed); diff != "" {
		t.Errorf("any (-want +got):\n%s", diff)
	}
	if err := e.Decode(4, &n); err == nil {
		t.Error("argument 4 does not exist, and was decoded")
	}
	if err := e.Decode(0, &n); err == nil {
		t.Error("bytes were decoded into a number")
	}
}
