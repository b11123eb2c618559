package socketio

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/engineio"
)

var testLimits = limits{attachments: 10, nspBytes: 256, depth: 128}

// seen is what a test compares of a packet.
type seen struct {
	Type        packetType
	Nsp, Name   string
	ID          int64
	Args        string
	Data        string
	Attachments []string
}

func see(p *inPacket) seen {
	s := seen{Type: p.typ, Nsp: p.nsp, Name: p.name, ID: p.id, Data: string(p.data)}
	for i, a := range p.args {
		if i > 0 {
			s.Args += " "
		}
		s.Args += string(a)
	}
	for _, a := range p.attachments {
		s.Attachments = append(s.Attachments, string(a))
	}
	return s
}

func text(s string) engineio.Message { return engineio.Message{Data: []byte(s)} }
func blob(s string) engineio.Message { return engineio.Message{Data: []byte(s), Binary: true} }

// decodeAll feeds messages to one decoder and returns the last packet.
func decodeAll(lim limits, messages ...engineio.Message) (p *inPacket, err error) {
	d := decoder{limits: &lim}
	for _, m := range messages {
		if p, err = d.add(m); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// packets of every kind, in messages and decoded.
var packets = []struct {
	name string
	in   []engineio.Message
	want seen
}{
	{"connect", []engineio.Message{text(`0`)}, seen{Type: typeConnect, Nsp: "/", ID: noID}},
	{
		"connect with auth",
		[]engineio.Message{text(`0{"token":"1"}`)},
		seen{Type: typeConnect, Nsp: "/", ID: noID, Data: `{"token":"1"}`},
	},
	{"connect to a namespace", []engineio.Message{text(`0/chat,`)}, seen{Type: typeConnect, Nsp: "/chat", ID: noID}},
	{"connect without a comma", []engineio.Message{text(`0/chat`)}, seen{Type: typeConnect, Nsp: "/chat", ID: noID}},
	{
		"connect with a query in the name",
		[]engineio.Message{text(`0/chat?a=1,{}`)},
		seen{Type: typeConnect, Nsp: "/chat?a=1", ID: noID, Data: `{}`},
	},
	{"disconnect", []engineio.Message{text(`1`)}, seen{Type: typeDisconnect, Nsp: "/", ID: noID}},
	{"disconnect from a namespace", []engineio.Message{text(`1/chat,`)}, seen{Type: typeDisconnect, Nsp: "/chat", ID: noID}},
	{
		"event",
		[]engineio.Message{text(`2["a",1,"2",{"3":[true]}]`)},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a", Args: `1 "2" {"3":[true]}`},
	},
	{"event without arguments", []engineio.Message{text(`2["a"]`)}, seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a"}},
	{"event with an id", []engineio.Message{text(`212["a"]`)}, seen{Type: typeEvent, Nsp: "/", ID: 12, Name: "a"}},
	{
		"event of a namespace with an id",
		[]engineio.Message{text(`2/chat,12["a"]`)},
		seen{Type: typeEvent, Nsp: "/chat", ID: 12, Name: "a"},
	},
	{
		"event with spaces",
		[]engineio.Message{text("2[ \"a\" ,\t[ 1 , 2 ]\n, \" ] \" ]")},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a", Args: `[ 1 , 2 ] " ] "`},
	},
	{
		"event named by a number",
		[]engineio.Message{text(`2[-1.5,true]`)},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "-1.5", Args: "true"},
	},
	{
		"event with an escaped name",
		[]engineio.Message{text(`2["\u00e9\"",null]`)},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: `é"`, Args: "null"},
	},
	{"ack", []engineio.Message{text(`37[]`)}, seen{Type: typeAck, Nsp: "/", ID: 7}},
	{
		"ack with the largest id",
		[]engineio.Message{text(`39007199254740991["b"]`)},
		seen{Type: typeAck, Nsp: "/", ID: maxSafeID, Args: `"b"`},
	},
	{
		"binary event",
		[]engineio.Message{text(`51-["a",{"_placeholder":true,"num":0}]`), blob("xy")},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a", Args: `{"_placeholder":true,"num":0}`, Attachments: []string{"xy"}},
	},
	{
		"binary ack",
		[]engineio.Message{text(`62-/chat,3[{"num":1,"_placeholder":true},[{"_placeholder":true,"num":0}]]`), blob("x"), blob("")},
		seen{
			Type: typeAck, Nsp: "/chat", ID: 3, Args: `{"_placeholder":true,"num":1} [{"_placeholder":true,"num":0}]`,
			Attachments: []string{"x", ""},
		},
	},
	{
		"binary event without attachments",
		[]engineio.Message{text(`50-["a"]`)},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a"},
	},
	{"two packets", []engineio.Message{text(`50-["a"]`), text(`2["b"]`)}, seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "b"}},
	{
		"placeholder in plain text is data",
		[]engineio.Message{text(`2["a",{"_placeholder":true,"num":9}]`)},
		seen{Type: typeEvent, Nsp: "/", ID: noID, Name: "a", Args: `{"_placeholder":true,"num":9}`},
	},
}

func TestDecodeUnderstandsEveryKindOfPacket(t *testing.T) {
	for _, tt := range packets {
		t.Run(tt.name, func(t *testing.T) {
			p, err := decodeAll(testLimits, tt.in...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, see(p)); diff != "" {
				t.Errorf("packet (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefusesWhatIsNoPacket(t *testing.T) {
	deep := strings.Repeat("[", 200) + strings.Repeat("]", 200)
	refuses(t, []refusedPacket{
		{"empty", []engineio.Message{text(``)}, errUnknownType},
		{"letters", []engineio.Message{text(`abc`)}, errUnknownType},
		{"type 7", []engineio.Message{text(`7`)}, errUnknownType},
		{"broken UTF-8", []engineio.Message{text("2[\"a\xff\"]")}, errUnknownType},
		{"event without payload", []engineio.Message{text(`2`)}, errPayload},
		{"event with an empty list", []engineio.Message{text(`2[]`)}, errPayload},
		{"event with an object", []engineio.Message{text(`2{}`)}, errPayload},
		{"event named by an object", []engineio.Message{text(`2[{}]`)}, errPayload},
		{"event named by null", []engineio.Message{text(`2[null]`)}, errPayload},
		{"event with a cut payload", []engineio.Message{text(`2["a"`)}, errPayload},
		{"event with something behind", []engineio.Message{text(`2["a"]x`)}, errPayload},
		{"event with an id of letters", []engineio.Message{text(`2abc["a"]`)}, errPayload},
		{"event with space for an id", []engineio.Message{text(`2 ["a"]`)}, errPayload},
		{"id too large", []engineio.Message{text(`29007199254740992["a"]`)}, errID},
		{"id of a thousand digits", []engineio.Message{text(`2` + strings.Repeat("1", 1000) + `["a"]`)}, errID},
		{"ack without payload", []engineio.Message{text(`31`)}, errPayload},
		{"ack without id", []engineio.Message{text(`3[]`)}, errPayload},
		{"connect with a list", []engineio.Message{text(`0[]`)}, errPayload},
		{"connect with null", []engineio.Message{text(`0null`)}, errPayload},
		{"disconnect with payload", []engineio.Message{text(`1{}`)}, errPayload},
		{"too deep", []engineio.Message{text(`2["a",` + deep + `]`)}, errDepth},
		{"long namespace", []engineio.Message{text(`0/` + strings.Repeat("n", 256))}, errNamespace},
		{"namespace with a separator", []engineio.Message{text("0/a\x1eb")}, errNamespace},
	})
}

func TestDecodeRefusesAttachmentsThatDoNotMatch(t *testing.T) {
	refuses(t, []refusedPacket{
		{"stray binary", []engineio.Message{blob("x")}, errStrayBinary},
		{"text among attachments", []engineio.Message{text(`51-["a",{"_placeholder":true,"num":0}]`), text(`2["b"]`)}, errStrayText},
		{"attachments without a number", []engineio.Message{text(`5-["a"]`)}, errAttachments},
		{"attachments without a dash", []engineio.Message{text(`51["a"]`)}, errAttachments},
		{"attachments of nothing", []engineio.Message{text(`5`)}, errAttachments},
		{"negative attachments", []engineio.Message{text(`5-1-["a"]`)}, errAttachments},
		{"broken attachments", []engineio.Message{text(`51.5-["a"]`)}, errAttachments},
		{"eleven attachments", []engineio.Message{text(`511-["a"]`)}, errTooMany},
		{"more attachments than a number holds", []engineio.Message{text(`5` + strings.Repeat("9", 50) + `-["a"]`)}, errTooMany},
		{"placeholder of no attachment", []engineio.Message{text(`51-["a",{"_placeholder":true,"num":1}]`), blob("x")}, errAttachments},
		{"placeholder below zero", []engineio.Message{text(`51-["a",{"_placeholder":true,"num":-1}]`), blob("x")}, errAttachments},
		{"placeholder between two", []engineio.Message{text(`51-["a",{"_placeholder":true,"num":0.5}]`), blob("x")}, errAttachments},
		{"placeholder by name", []engineio.Message{text(`51-["a",{"_placeholder":true,"num":"splice"}]`), blob("x")}, errAttachments},
		{"placeholder without number", []engineio.Message{text(`51-["a",{"x":[{"_placeholder":true}]}]`), blob("x")}, errAttachments},
		{"placeholder in disguise", []engineio.Message{text(`51-["a",{"\u005fplaceholder":true,"num":3}]`), blob("x")}, errAttachments},
	})
}

func TestDecodeRefusesReservedEvents(t *testing.T) {
	for name := range reservedEvents {
		raw, _ := json.Marshal([]string{name})
		refuses(t, []refusedPacket{{"event " + name, []engineio.Message{text("2" + string(raw))}, errReserved}})
	}
}

// A refusedPacket is what no packet decodes from, and why not.
type refusedPacket struct {
	name string
	in   []engineio.Message
	want error
}

func refuses(t *testing.T, tests []refusedPacket) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := decodeAll(testLimits, tt.in...)
			if !errors.Is(err, tt.want) {
				t.Errorf("got packet %+v and error %v, want error %v", p, err, tt.want)
			}
		})
	}
}

func TestDecodeTakesExactlyTheLimits(t *testing.T) {
	lim := limits{attachments: 2, nspBytes: 5, depth: 3}
	for _, ok := range []string{`52-["a"]`, `0/four`, `2["a",[[]]]`} {
		if _, err := decodeAll(lim, text(ok)); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for _, bad := range []string{`53-["a"]`, `0/fives`, `2["a",[[[]]]]`} {
		if _, err := decodeAll(lim, text(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// FuzzDecode feeds a stream of messages, separated by U+001E, of which those that
// begin with "b" are binary. The decoder must not panic, and what it accepts must
// come out again as it came in.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`0`, `0/chat,{"a":1}`, `1/chat,`, `2["a",1]`, `2/x,12["a",{"b":[]}]`, `31[]`, `4{"message":"x"}`,
		"51-[\"a\",{\"_placeholder\":true,\"num\":0}]\x1ebxyz",
		"62-1[{\"_placeholder\":true,\"num\":1},{\"num\":0,\"_placeholder\":true}]\x1eb1\x1eb2",
		"50-[\"a\"]\x1e2[\"b\"]", `2["\u005fplaceholder",{"_placeholder":true}]`, "bxyz", `2[[[[[[]]]]]]`,
		"51-[\"a\",{\"_placeholder\":true,\"num\":1e0}]\x1ebx", `2["` + "\xc3\x28" + `"]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		d := decoder{limits: &testLimits}
		for _, part := range strings.Split(string(stream), "\x1e") {
			m := text(part)
			if rest, isBinary := strings.CutPrefix(part, "b"); isBinary {
				m = blob(rest)
			}
			p, err := d.add(m)
			if err != nil {
				return
			}
			if p != nil {
				checkRoundTrip(t, p)
			}
		}
	})
}

// checkRoundTrip sends an event on as it came and decodes it again.
func checkRoundTrip(t *testing.T, p *inPacket) {
	if p.typ != typeEvent || reservedEvents[p.name] || p.name == "" {
		return
	}
	e := &Event{Name: p.name, Args: p.args, Attachments: p.attachments}
	out, err := Encode(p.nsp, p.name, e.Values()...)
	if err != nil {
		t.Fatalf("encode what was decoded: %v", err)
	}
	lim := limits{attachments: 1 << 20, nspBytes: 1 << 20, depth: 256}
	again, err := decodeAll(lim, out.group(parserJSON).Messages()...)
	if err != nil || again == nil {
		t.Fatalf("decode %s: %v", out.body, err)
	}
	if again.name != p.name || again.nsp != p.nsp || len(again.args) != len(p.args) {
		t.Fatalf("came in as %+v, went out as %+v", see(p), see(again))
	}
	for i := range p.args {
		var was, is any
		if json.Unmarshal(inline(p.args[i], p.attachments), &was) == nil {
			_ = json.Unmarshal(inline(again.args[i], again.attachments), &is)
			if diff := cmp.Diff(was, is); diff != "" {
				t.Fatalf("argument %d (-in +out):\n%s", i, diff)
			}
		}
	}
}

func BenchmarkReadEvent(b *testing.B) {
	packet := []byte(`27["echo","hello",{"n":1}]`)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := parse(packet, &testLimits); err != nil {
			b.Fatal(err)
		}
	}
}
