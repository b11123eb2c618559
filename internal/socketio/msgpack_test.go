package socketio

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"expenseflow/internal/engineio"
)

// asMsgpack encodes a packet that is given as text.
func asMsgpack(t *testing.T, messages ...engineio.Message) []byte {
	t.Helper()
	p, err := decodeAll(testLimits, messages...)
	if err != nil {
		t.Fatal(err)
	}
	return parserMsgpack.group(p.typ, p.nsp, p.id, bodyOf(p), p.attachments).Messages()[0].Data
}

// bodyOf is the payload of a packet in JSON.
func bodyOf(p *inPacket) []byte {
	switch p.typ {
	case typeEvent:
		name, _ := json.Marshal(p.name)
		body, _ := json.Marshal(append([]json.RawMessage{name}, p.args...))
		return body
	case typeAck:
		body, _ := json.Marshal(append([]json.RawMessage{}, p.args...))
		return body
	}
	return p.data
}

func TestMsgpackSaysWhatTextSays(t *testing.T) {
	long, many := strings.Repeat("é", 40_000), strings.Repeat("1,", 70_000)
	for _, messages := range [][]engineio.Message{
		{text(`0`)},
		{text(`0/chat,{"token":"x"}`)},
		{text(`1/chat,`)},
		{text(`4{"message":"no"}`)},
		{text(`2["e"]`)},
		{text(`2/chat,7["e",null,true,false,"",{}]`)},
		{text(`3123[]`)},
		{
			text(`2["e",0,127,128,255,256,65535,65536,4294967296,9007199254740991,` +
				`-1,-32,-33,-128,-129,-32769,-2147483649,1.5,-0.25,1e300]`),
		},
		{
			text(`2["e","` + strings.Repeat("x", 31) + `","` + strings.Repeat("x", 32) + `","` +
				strings.Repeat("x", 256) + `","` + long + `"]`),
		},
		{text(`2["e",[` + strings.TrimSuffix(many[:32], ",") + `],[` + strings.TrimSuffix(many, ",") + `]]`)},
		{
			text(`2["e",{"a":{"b":[{"c":1}]},"1":2,"3":4,"5":6,"7":8,"9":10,"11":12,"13":14,` +
				`"15":16,"17":18,"19":20,"21":22,"23":24,"25":26,"27":28,"29":30}]`),
		},
		{
			text(`53-["e",{"_placeholder":true,"num":1},{"x":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":2}]`),
			blob("a"), blob(strings.Repeat("b", 300)), blob(strings.Repeat("c", 70_000)),
		},
	} {
		want, err := decodeAll(testLimits, messages...)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseMsgpack(asMsgpack(t, messages...), &testLimits)
		if err != nil {
			t.Errorf("%.60s: %v", messages[0].Data, err)
			continue
		}
		if !reflect.DeepEqual(got.view(), want.view()) {
			t.Errorf("%.60s is read as %.200v", messages[0].Data, got.view())
		}
	}
}

// TestMsgpackReadsWhatNotepackWrites lists forms that our writer does not use.
func TestMsgpackReadsWhatNotepackWrites(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"uint 8", "ccff", "255"},
		{"uint 16", "cd0100", "256"},
		{"uint 32", "ceffffffff", "4294967295"},
		{"uint 64", "cf001fffffffffffff", "9007199254740991"},
		{"int 8", "d080", "-128"},
		{"int 16", "d18000", "-32768"},
		{"int 32", "d280000000", "-2147483648"},
		{"int 64", "d3ffffffff7fffffff", "-2147483649"},
		{"float 32", "ca3fc00000", "1.5"},
		{"infinity", "cb7ff0000000000000", "null"},
		{"not a number", "ca7fc00000", "null"},
		{"str 8", "d90161", `"a"`},
		{"str 16", "da000161", `"a"`},
		{"str 32", "db0000000161", `"a"`},
		{"array 16", "dc000101", "[1]"},
		{"array 32", "dd0000000101", "[1]"},
		{"map 16", "de0001a16101", `{"a":1}`},
		{"map 32", "df00000001a16101", `{"a":1}`},
		{"undefined", "d40000", "null"},
		{"date", "d7000000018bcfe56800", `"2023-11-14T22:13:20.000Z"`},
		{"undefined property", "83a161d40000a16201a163d40000", `{"b":1}`},
		{"bin 8", "c40161", `"YQ=="`},
		{"bin 16", "c5000161", `"YQ=="`},
		{"bin 32", "c60000000161", `"YQ=="`},
		{"buffer", "c7030061626b", `"YWJr"`},
		{"buffer of one byte", "c7010061", `"YQ=="`},
		{"buffer of eight bytes", "c708006162636465666768", `"YWJjZGVmZ2g="`},
		{"long buffer", "c800010061", `"YQ=="`},
		{"date before the year 0", "d700ffffb9fbb4c9f400", `"-000470-06-20T12:32:33.280Z"`},
		{"date that no Date has", "d7007fffffffffffffff", "null"},
		{"placeholder's look-alike", "82ac5f706c616365686f6c646572c3a36e756d00", `{"\u005fplaceholder":true,"num":0}`},
	}
	for _, tt := range tests {
		data := unhex(t, "84"+"a474797065"+"02"+"a36e7370"+"a12f"+"a26964"+"d40000"+"a464617461"+"92"+"a165"+tt.value)
		p, err := parseMsgpack(data, &testLimits)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := string(inline(p.args[0], p.attachments)); got != tt.want || p.id != noID {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	data, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestMsgpackRefusesWhatIsNoPacket(t *testing.T) {
	const event = "84" + "a474797065" + "02" + "a36e7370" + "a12f" + "a26964" + "01" + "a464617461"
	tests := []struct {
		name, data string
		want       error
	}{
		{"nothing", "", errMsgpack},
		{"a number", "01", errMsgpack},
		{"something behind", "80" + "01", errMsgpack},
		{"the byte that is nothing", "c1", errMsgpack},
		{"a key that is no string", "81" + "01" + "01", errMsgpack},
		{"no type", "81" + "a36e7370" + "a12f", errUnknownType},
		{"type 5", "82" + "a474797065" + "05" + "a36e7370" + "a12f", errUnknownType},
		{"type 1.5", "82" + "a474797065" + "ca3fc00000" + "a36e7370" + "a12f", errUnknownType},
		{"no namespace", "81" + "a474797065" + "00", errNamespace},
		{"a namespace without slash", "82" + "a474797065" + "00" + "a36e7370" + "a161", errNamespace},
		{"a namespace with a comma", "82" + "a474797065" + "00" + "a36e7370" + "a22f2c", errNamespace},
		{"a long namespace", "82" + "a474797065" + "00" + "a36e7370" + "da0101" + strings.Repeat("2f", 257), errNamespace},
		{"a negative id", "83" + "a474797065" + "02" + "a36e7370" + "a12f" + "a26964" + "ff", errID},
		{"an id that is text", "83" + "a474797065" + "02" + "a36e7370" + "a12f" + "a26964" + "a131", errID},
		{"no payload", event + "d40000", errPayload},
		{"an empty payload", event + "90", errPayload},
		{"a reserved name", event + "91" + "a7636f6e6e656374", errReserved},
		{"an array longer than the message", event + "ddffffffff", errMsgpack},
		{"a string longer than the message", event + "dbffffffff", errMsgpack},
		{"a cut number", event + "cf00", errMsgpack},
		{"broken UTF-8", event + "91" + "a1ff", errMsgpack},
		{"an unknown extension", event + "91" + "d40100", errMsgpack},
		{"nested too deeply", event + strings.Repeat("91", 200) + "01", errDepth},
		{"1,001 attachments", event + "dc03ea" + "a165" + strings.Repeat("c40161", 1001), errTooMany},
		{"an extension of two bytes", event + "91" + "d5000000", errMsgpack},
	}
	for _, tt := range tests {
		if _, err := parseMsgpack(unhex(t, tt.data), &testLimits); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestConversationInMsgpack(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		echoing(b.Of("/"))
		w := b.dial()
		w.sendMsgpack(asMsgpack(t, text(`0{"a":1}`)))
		if reply := w.receivedMsgpack(); len(reply) != 1 || reply[0].typ != typeConnect ||
			!strings.HasPrefix(string(reply[0].data), `{"sid":"`) {
			t.Fatalf("told %+v", reply)
		}
		w.sendMsgpack(asMsgpack(t, text(`51-7["message-with-ack",1,{"_placeholder":true,"num":0}]`), blob("x")))
		reply := w.receivedMsgpack()
		if len(reply) != 1 || reply[0].typ != typeAck || reply[0].id != 7 || string(reply[0].attachments[0]) != "x" {
			t.Errorf("told %+v", reply)
		}
		_ = b.Of("/").Emit("text", "a")
		w.sendMsgpack(asMsgpack(t, text(`0/random,`)))
		if reply := w.receivedMsgpack(); len(reply) != 2 || reply[0].name != "text" ||
			string(reply[1].data) != `{"message":"Invalid namespace"}` {
			t.Errorf("told %+v", reply)
		}
		w.expectOpen()
		w.send(`2["in text"]`)
		w.expectClosed(reasonForced)
	})
}

// sendMsgpack sends a binary message.
func (w *testClient) sendMsgpack(data []byte) { w.deliver(engineio.Message{Data: data, Binary: true}) }

// receivedMsgpack returns the packets that were sent since the last call, in msgpack.
func (w *testClient) receivedMsgpack() (packets []*inPacket) {
	w.t.Helper()
	synctest.Wait()
	for _, m := range w.received() {
		p, err := parseMsgpack(unhex(w.t, strings.Trim(m, "<>")), &testLimits)
		if err != nil {
			w.t.Errorf("%s: %v", m, err)
			continue
		}
		packets = append(packets, p)
	}
	return packets
}

func TestRecoveryInMsgpack(t *testing.T) {
	p, err := EncodeAt("/", "o", "change", binaryJSON(`$0`, "x"))
	if err != nil {
		t.Fatal(err)
	}
	stamped := p.groupWithOffset(parserMsgpack, "o")
	if p.groupWithOffset(parserMsgpack, "o") != stamped {
		t.Error("two groups of one event")
	}
	in, err := parseMsgpack(stamped.Messages()[0].Data, &testLimits)
	if err != nil || len(in.args) != 2 || string(in.args[1]) != `"o"` {
		t.Errorf("packet %+v, error %v", in, err)
	}
}

func TestMsgpackNumbersAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genValue(3).Draw(t, "value")
		p, err := Encode("/", "e", v)
		if err != nil {
			t.Fatal(err)
		}
		in, err := parseMsgpack(p.group(parserMsgpack).Messages()[0].Data, &testLimits)
		if err != nil {
			t.Fatal(err)
		}
		var want []any
		_ = json.Unmarshal(p.body, &want)
		if !reflect.DeepEqual(plainJSON(in.args[0]), want[1]) {
			t.Fatalf("%s is read as %s", p.body, in.args[0])
		}
	})
}

// TestMsgpackWithNPM lets npm's msgpack parser decode what ours encoded, and the
// other way round.
func TestMsgpackWithNPM(t *testing.T) {
	js := newJSParser(t, "socket.io-msgpack-parser")
	gen := newGenerator()
	var batch [][]engineio.Message
	var wrote []*inPacket
	for len(batch) < 3000 {
		p, err := decodeAll(limits{attachments: 100, nspBytes: 300, depth: 200}, gen.encoded()...)
		if err != nil {
			t.Fatal(err)
		}
		group := parserMsgpack.group(p.typ, p.nsp, p.id, bodyOf(p), p.attachments)
		batch, wrote = append(batch, group.Messages()), append(wrote, p)
	}
	for i, answer := range js.ask(batch) {
		if len(answer.Packets) != 1 || !reflect.DeepEqual(answer.Packets[0].view(), wrote[i].view()) {
			t.Fatalf("npm reads %+v as %+v (%s)", wrote[i].view(), answer.verdict(), answer.Error)
		}
		again, err := parseMsgpack(hideMessage(t, answer.Packets[0].Again[0]).Data, &testLimits)
		if err != nil || !reflect.DeepEqual(again.view(), wrote[i].view()) {
			t.Fatalf("npm wrote %+v, which is read as %+v (%v)", wrote[i].view(), again, err)
		}
	}
}

// FuzzMsgpack feeds one message. What is accepted must come out again as it came in.
func FuzzMsgpack(f *testing.F) {
	for _, packet := range []string{`0{"a":[1,-1,1.5]}`, `2/x,12["a",{"b":[null,true]}]`, `31["\u2028"]`, `1`} {
		p, err := decodeAll(testLimits, text(packet))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(parserMsgpack.group(p.typ, p.nsp, p.id, bodyOf(p), nil).Messages()[0].Data)
	}
	f.Add([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x92\xa1e\xc4\x01x"))
	f.Add([]byte("\x83\xa4type\x02\xa3nsp\xa1/\xa4data\x93\xa1e\xd7\x00\x00\x00\x01\x8b\xcf\xe5\x68\x00\xd4\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parseMsgpack(data, &testLimits)
		if err != nil {
			return
		}
		out := parserMsgpack.group(p.typ, p.nsp, p.id, bodyOf(p), p.attachments).Messages()[0].Data
		again, err := parseMsgpack(out, &limits{attachments: 1000, nspBytes: 1000, depth: 1000})
		if err != nil || !reflect.DeepEqual(again.view(), p.view()) {
			t.Fatalf("came in as %+v, went out as %+v: %v", p.view(), again, err)
		}
	})
}
