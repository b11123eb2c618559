package socketio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

type photo struct {
	Name  string
	Bytes Binary `json:"bytes"`
	Small Binary `json:"small,omitempty"`
	Size  int    `json:",string"`
	Taken time.Time
	inner Binary
	*where
	Tags   []string `json:"tags,omitempty"`
	Secret string   `json:"-"`
	Zero   int      `json:"zero,omitzero"`
}

type where struct {
	Place string `json:"place"`
}

type branch struct {
	Leaf  Binary    `json:"leaf,omitempty"`
	Trees []*branch `json:"trees,omitempty"`
}

func TestBinaryTravelsFromAnywhere(t *testing.T) {
	b := Binary("ab")
	tests := []struct {
		name string
		args []any
		want []string
	}{
		{"by itself", []any{b}, []string{`51-["e",{"_placeholder":true,"num":0}]`, "<6162>"}},
		{"empty", []any{Binary{}}, []string{`51-["e",{"_placeholder":true,"num":0}]`, "<>"}},
		{"nil", []any{Binary(nil)}, []string{`2["e",null]`}},
		{"pointer", []any{&b}, []string{`51-["e",{"_placeholder":true,"num":0}]`, "<6162>"}},
		{"slices", []any{[]Binary{b, nil, b}, [1]any{b}}, []string{`53-["e",[{"_placeholder":true,"num":0},null,{"_placeholder":true,"num":1}],[{"_placeholder":true,"num":2}]]`, "<6162>", "<6162>", "<6162>"}},
		{"map", []any{map[string]any{"b": b, "a": 1, "c": map[string]Binary{"<": b}}}, []string{`52-["e",{"a":1,"b":{"_placeholder":true,"num":0},"c":{"<":{"_placeholder":true,"num":1}}}]`, "<6162>", "<6162>"}},
		{"tree", []any{branch{Trees: []*branch{{Leaf: b}, nil, {}}}}, []string{`51-["e",{"trees":[{"leaf":{"_placeholder":true,"num":0}},null,{}]}]`, "<6162>"}},
		{
			"struct",
			[]any{photo{Name: "n", Bytes: b, Size: 3, where: &where{"x"}, inner: b, Secret: "s"}},
			[]string{`51-["e",{"Name":"n","bytes":{"_placeholder":true,"num":0},"Size":"3","Taken":"0001-01-01T00:00:00Z","place":"x"}]`, "<6162>"},
		},
		{"base64 is for []byte", []any{[]byte("ab")}, []string{`2["e","YWI="]`}},
		{"raw JSON as it stands", []any{json.RawMessage(`{"a": 1}`), json.RawMessage(nil), map[string]any{"r": json.RawMessage(`[1, 2]`)}}, []string{`2["e",{"a": 1},null,{"r":[1, 2]}]`}},
		{"no HTML escapes", []any{"<a&b>", map[string]any{"k": "<"}}, []string{`2["e","<a&b>",{"k":"<"}]`}},
		{"nil values", []any{nil, map[string]any(nil), []any(nil), (*photo)(nil)}, []string{`2["e",null,null,null,null]`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Encode("/", "e", tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			w := wire{t: t}
			w.put(p.shared(parserJSON))
			if diff := cmp.Diff(tt.want, w.sent); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEncodeRefusesWhatCannotTravel(t *testing.T) {
	loop := map[string]any{}
	loop["loop"] = loop
	for name, arg := range map[string]any{
		"a loop":                  loop,
		"a function":              func() {},
		"a map of numbers":        map[int]Binary{1: nil},
		"broken JSON":             json.RawMessage(`{"a":`),
		"broken JSON inside":      map[string]any{"x": json.RawMessage(`{`)},
		"broken UTF-8":            json.RawMessage("\"\xff\""),
		"a channel in an any":     []any{make(chan int)},
		"a failing MarshalJSON":   failing{},
		"a failing one in a list": []any{failing{}},
	} {
		if _, err := Encode("/", "e", arg); err == nil {
			t.Errorf("%s was encoded", name)
		}
	}
	for name := range reservedIn {
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

// TestArgumentsAreWhatEncodingJSONMakesOfThem holds the writer against the
// standard library for values without binaries, which take the same path when
// their type could hold some.
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
		text(`52-["e",{"_placeholder":true,"num":1},{"bytes":{"_placeholder":true,"num":0},"Name":"n","Size":"7"},[1,{"_placeholder":true,"num":0}],5]`),
		blob("first"), blob("second"))
	if err != nil {
		t.Fatal(err)
	}
	e := &Event{Name: p.name, Args: p.args, Attachments: p.attachments}
	var (
		whole Binary
		part  photo
		mixed []any
		n     int
	)
	for i, v := range []any{&whole, &part, &mixed, &n} {
		if err := e.Decode(i, v); err != nil {
			t.Fatal(err)
		}
	}
	if string(whole) != "second" || string(part.Bytes) != "first" || part.Name != "n" || n != 5 {
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
	out, err := Encode("/", "e", e.Values()[1], []any{e.Values()[0]})
	if err != nil {
		t.Fatal(err)
	}
	body := `["e",` + string(e.Args[1]) + `,[{"_placeholder":true,"num":1}]]`
	if string(out.body) != strings.Replace(body, `"num":1`, `"num":0`, 1) && string(out.body) != body || string(out.attachments[1]) != "second" {
		t.Errorf("values are sent as %s with %q", out.body, out.attachments)
	}
}
