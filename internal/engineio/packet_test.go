package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestDecodePacket(t *testing.T) {
	tests := []struct {
		text string
		want packet
		err  error
	}{
		{"4", packet{kind: packetMessage, data: []byte{}}, nil},
		{"4hello", packet{kind: packetMessage, data: []byte("hello")}, nil},
		{"2probe", packet{kind: packetPing, data: []byte("probe")}, nil},
		{"b", packet{kind: packetMessage, binary: true, data: []byte{}}, nil},
		{"bAQIDBA==", packet{kind: packetMessage, binary: true, data: []byte{1, 2, 3, 4}}, nil},
		{"", packet{}, ErrParse},
		{"7", packet{}, ErrParse},
		{"/", packet{}, ErrParse},
		{"\xf0\x9f", packet{}, ErrParse},
	}
	for _, tt := range tests {
		got, err := decodePacket([]byte(tt.text))
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(packet{})); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("%q: error %v, packet (-want +got):\n%s", tt.text, err, diff)
		}
	}
}

// The lenient cases are what Node's Buffer.from(text, "base64") gives.
func TestDecodeBase64(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"AQI=", "\x01\x02"},
		{"AQI", "\x01\x02"},
		{"A", ""},
		{"AQIDB", "\x01\x02\x03"},
		{"-_-_", "\xfb\xff\xbf"},
		{"A Q\tI\n=", "\x01\x02"},
		{"AQ==ID", "\x01"},
		{"====", ""},
		{"é", ""},
	}
	for _, tt := range tests {
		if got := decodeBase64([]byte(tt.text)); string(got) != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
	}
}

// What this side encodes into a payload is what the other side decodes.
func TestPayloadRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		msgs := rapid.SliceOfN(rapid.Custom(drawMessage), 1, 20).Draw(t, "messages")
		var got []Message
		for p, err := range decodePayload(NewGroup(msgs...).pollingPayload()) {
			if err != nil || p.kind != packetMessage {
				t.Fatalf("packet %+v: %v", p, err)
			}
			got = append(got, Message{Data: p.data, Binary: p.binary})
		}
		if diff := cmp.Diff(msgs, got); diff != "" {
			t.Fatalf("messages (-want +got):\n%s", diff)
		}
	})
}

func drawMessage(t *rapid.T) Message {
	if rapid.Bool().Draw(t, "binary") {
		return Message{Data: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "data"), Binary: true}
	}
	text := rapid.StringN(0, 100, 300).Draw(t, "text")
	return Message{Data: []byte(strings.ReplaceAll(text, string(rune(separator)), ""))}
}

func TestGroupCountsItsFrames(t *testing.T) {
	for _, n := range []int{0, 1, 124, 125, 126, 65534, 65535, 65536} {
		for _, binary := range []bool{false, true} {
			g := NewGroup(Message{Data: make([]byte, n), Binary: binary}, Message{Data: []byte("second")})
			if got := len(g.webSocketFrames()) + groupOverhead; got != g.Size() {
				t.Errorf("%d bytes, binary %v: frames count %d, Size says %d", n, binary, got, g.Size())
			}
		}
	}
}

func TestGroupIsEncodedOnce(t *testing.T) {
	g := NewGroup(Message{Data: bytes.Repeat([]byte("x"), 5000)})
	for _, form := range []func() []byte{g.webSocketFrames, g.deflatedFrames, g.pollingPayload} {
		if a, b := form(), form(); &a[0] != &b[0] {
			t.Error("a form was made twice")
		}
	}
}

func TestQueueIsFirstInFirstOutAndSmall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var model []*Group
		for _, n := range rapid.SliceOfN(rapid.IntRange(-60, 50), 1, 100).Draw(t, "pushes and pops") {
			for range n {
				g := &Group{}
				q.push(g)
				model = append(model, g)
			}
			for range -n {
				if got := q.pop(); len(model) == 0 && got != nil || len(model) > 0 && got != model[0] {
					t.Fatal("wrong group")
				}
				model = model[min(1, len(model)):]
			}
			if live := len(q.items) - q.head; live != len(model) || q.head > keepQueue && q.head > live+1 {
				t.Fatalf("%d live, %d dead, model %d", live, q.head, len(model))
			}
		}
	})
}

func TestEmptyQueueForgetsABurst(t *testing.T) {
	var q queue
	for range 1000 {
		q.push(&Group{})
	}
	for !q.empty() {
		q.pop()
	}
	if cap(q.items) > keepQueue {
		t.Errorf("keeps %d places", cap(q.items))
	}
}

func FuzzDecodePacket(f *testing.F) {
	for _, seed := range []string{"4hello", "bAQID", "2probe", "", "b====", "9"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decodePacket(text)
		if err != nil {
			return
		}
		if p.binary && len(p.data) > base64.RawStdEncoding.DecodedLen(len(text)) {
			t.Errorf("%q decodes to %d bytes", text, len(p.data))
		}
		if !p.binary && string(p.data) != string(text[1:]) {
			t.Errorf("%q decodes to %q", text, p.data)
		}
	})
}

func FuzzDecodePayload(f *testing.F) {
	for _, seed := range []string{"4a\x1e4b", "4a\x1e\x1e4b", "\x1e", "bAQ==\x1e3\x1e1", "4a\x1e"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		parts := bytes.Split(slices.Clone(payload), []byte{separator})
		n := 0
		for p, err := range decodePayload(payload) {
			want, wantErr := decodePacket(parts[n])
			if diff := cmp.Diff(want, p, cmp.AllowUnexported(packet{})); diff != "" || !errors.Is(err, wantErr) {
				t.Fatalf("packet %d of %q: %v, %s", n, payload, err, diff)
			}
			if n++; err != nil {
				return
			}
		}
		if n != len(parts) {
			t.Errorf("%d packets of %d", n, len(parts))
		}
	})
}
