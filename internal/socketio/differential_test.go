package socketio

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"expenseflow/internal/engineio"
	"expenseflow/internal/testneed"
)

var (
	packetCount = flag.Int("packets", 20_000, "how many generated packet sequences npm's parser is asked about")
	packetSeed  = flag.Uint64("seed", 1, "where their generation begins")
)

// A jsParser is npm's parser in a process of its own.
type jsParser struct {
	t   *testing.T
	in  *bufio.Writer
	out *bufio.Reader
}

// newJSParser starts node with one of the parser modules of the end-to-end tests.
func newJSParser(t *testing.T, module string) *jsParser {
	t.Helper()
	node := testneed.Node(t)
	modules, err := filepath.Abs("../e2e/npm")
	if err != nil {
		t.Fatal(err)
	}
	testneed.NPM(t, modules)
	cmd := exec.CommandContext(t.Context(), node, "testdata/parser.cjs", modules, module)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	return &jsParser{t: t, in: bufio.NewWriter(in), out: bufio.NewReaderSize(out, 1<<20)}
}

// A jsAnswer is what npm's parser makes of one sequence.
type jsAnswer struct {
	Packets []jsPacket
	Error   string
}

type jsPacket struct {
	Type  packetType
	Nsp   string
	ID    *float64
	Data  any
	Again []json.RawMessage // the packet encoded again
}

// ask sends a batch of sequences and returns the answers.
func (p *jsParser) ask(batch [][]engineio.Message) []jsAnswer {
	shown := make([][]any, len(batch))
	for i, seq := range batch {
		shown[i] = make([]any, len(seq))
		for j, m := range seq {
			shown[i][j] = showMessage(m)
		}
	}
	line, err := json.Marshal(shown)
	if err != nil {
		p.t.Fatal(err)
	}
	_, _ = p.in.Write(append(line, '\n'))
	if err := p.in.Flush(); err != nil {
		p.t.Fatal(err)
	}
	reply, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatalf("node: %v", err)
	}
	var answers []jsAnswer
	if err := json.Unmarshal(reply, &answers); err != nil {
		p.t.Fatal(err)
	}
	return answers
}

func showMessage(m engineio.Message) any {
	if m.Binary {
		return map[string]string{"$bin": hex.EncodeToString(m.Data)}
	}
	return string(m.Data)
}

// hideMessage is the reverse.
func hideMessage(t *testing.T, raw json.RawMessage) engineio.Message {
	t.Helper()
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return text(s)
	}
	var b struct {
		Bin string `json:"$bin"`
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	data, err := hex.DecodeString(b.Bin)
	if err != nil {
		t.Fatal(err)
	}
	return engineio.Message{Data: data, Binary: true}
}

// A verdict is a parser's view of a sequence in a form that can be compared.
type verdict struct {
	Packets []any
	Failed  bool
}

func (a jsAnswer) verdict() verdict {
	v := verdict{Failed: a.Error != ""}
	for _, p := range a.Packets {
		v.Packets = append(v.Packets, p.view())
	}
	return v
}

// view shows a packet. The name of an event may be a number; we keep its text.
func (p jsPacket) view() any {
	id := float64(noID)
	if p.ID != nil {
		id = *p.ID
	}
	if list, ok := p.Data.([]any); ok && p.Type == typeEvent && len(list) > 0 {
		if _, infinite := list[0].(map[string]any); !infinite {
			list[0] = nameView(fmt.Sprint(list[0]))
		}
	}
	return map[string]any{"type": p.Type, "nsp": p.Nsp, "id": id, "data": p.Data}
}

// ours is the verdict of this package's decoder.
func ours(seq []engineio.Message) verdict {
	var v verdict
	d := decoder{limits: &testLimits}
	for _, m := range seq {
		p, err := d.add(m)
		if err != nil {
			v.Failed = true
			return v
		}
		if p != nil {
			v.Packets = append(v.Packets, p.view())
		}
	}
	return v
}

func (p *inPacket) view() any {
	return map[string]any{"type": p.typ, "nsp": p.nsp, "id": float64(p.id), "data": p.payload()}
}

// nameView is an event's name: one spelling for each number.
func nameView(name string) string {
	n, err := strconv.ParseFloat(name, 64)
	switch {
	case err == nil:
		return fmt.Sprint(n)
	case errors.Is(err, strconv.ErrRange):
		return notForGo
	}
	return name
}

// payload is the data of a packet as JavaScript has it.
func (p *inPacket) payload() any {
	switch p.typ {
	case typeEvent:
		return append([]any{nameView(p.name)}, p.values()...)
	case typeAck:
		return p.values()
	}
	return plainJSON(p.data)
}

func (p *inPacket) values() []any {
	list := []any{}
	for _, arg := range p.args {
		v := plainJSON(arg)
		if len(p.attachments) > 0 {
			v = visible(decodeArg(arg, p.attachments))
		}
		list = append(list, v)
	}
	return list
}

// decodeArg decodes an argument with its attachments in place.
func decodeArg(raw json.RawMessage, attachments [][]byte) any {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return raw // a number that fits nowhere; there is no binary in it
	}
	return restoreBinary(v, attachments)
}

// restoreBinary replaces the placeholders in v by their attachments.
func restoreBinary(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = restoreBinary(v[i], attachments)
		}
	case map[string]any:
		if v["_placeholder"] == true {
			num, _ := v["num"].(json.Number)
			return attachments[int(number([]byte(num)))]
		}
		for key := range v {
			v[key] = restoreBinary(v[key], attachments)
		}
	}
	return v
}

// notForGo stands for a number that Go does not hold.
const notForGo = "not for Go"

func plainJSON(raw json.RawMessage) (v any) {
	if raw == nil {
		return nil
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return notForGo
	}
	return v
}

// visible replaces what plain JSON does not have.
func visible(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]any{"$bin": hex.EncodeToString(v)}
	case json.Number:
		return plainJSON(json.RawMessage(v))
	case []any:
		for i := range v {
			v[i] = visible(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = visible(v[k])
		}
	}
	return v
}

// A difference is something in which this package differs from socket.io-parser
// 4.2.7 on purpose. Each concerns packets that no client library sends.
type difference struct {
	name string
	is   func(seq []engineio.Message, js, our verdict) bool
}

// refused explains that our decoder gives err for a text message of that shape.
func refused(err error, pattern string) func([]engineio.Message, verdict, verdict) bool {
	re := regexp.MustCompile(pattern)
	return func(seq []engineio.Message, _, _ verdict) bool {
		at, got := blame(seq)
		return errors.Is(got, err) && !seq[at].Binary && re.Match(seq[at].Data)
	}
}

// blame is the message that our decoder refuses, and why.
func blame(seq []engineio.Message) (at int, err error) {
	d := decoder{limits: &testLimits}
	for i, m := range seq {
		if _, err := d.add(m); err != nil {
			return i, err
		}
	}
	return -1, nil
}

var zeroAttachments = regexp.MustCompile(`^[56]0+-`)

var differences = []difference{
	// The protocol wants payloads: "If that's not the case, then the receiver MUST
	// close the connection". npm's parser checks them only if they are there.
	{"event or acknowledgement without payload", refused(errPayload, `(?s)^[2356](\d+-)?(/[^,]*,?)?\d*$`)},
	// An acknowledgement answers an id; npm's server looks for undefined.
	{"acknowledgement without id", refused(errPayload, `(?s)^[36](\d+-)?(/[^,]*,)?\[`)},
	// Number(" ") is 0 in JavaScript, so white space passes for a digit.
	{"white space for a type", refused(errUnknownType, `^\s`)},
	{"white space in a count", refused(errAttachments, `^[56]\s*\d*\s*-`)},
	{"white space in an id", refused(errPayload, `(?s)^[0-6](\d*-)?(/[^,]*,)?\d*\s`)},
	// Number("") is 0 too.
	{"nothing for a type", refused(errUnknownType, `^$`)},
	// "1e0", "+1", "0x1", "1." and "1.0" are numbers to JavaScript.
	{"attachments counted with more than digits", refused(errAttachments, `(?s)^[56][^-]*[^-\d][^-]*-|^[56]\d+e-`)},
	// Ids that a JavaScript number does not hold would be answered with another id.
	{"id above 2^53-1", refused(errID, `(?s)^[0-6](\d+-)?(/[^,]*,)?\d{16,}`)},
	// Both are limits of ours.
	{"nested deeper than 128", refused(errDepth, ``)},
	{"namespace of more than 256 bytes or with control characters", refused(errNamespace, ``)},
	// 4.2.7 refuses a binary packet without attachments. Its successor takes it for
	// what it is, and so do we.
	{"zero attachments", func(seq []engineio.Message, js, our verdict) bool {
		return js.Failed && len(js.Packets) < len(our.Packets) &&
			slices.ContainsFunc(seq, func(m engineio.Message) bool { return !m.Binary && zeroAttachments.Match(m.Data) })
	}},
	// npm's parser takes the number 0.5 for a property of its list, which is
	// undefined.
	{"placeholder between two attachments", func(_ []engineio.Message, js, our verdict) bool {
		return our.Failed && strings.Contains(fmt.Sprint(js.Packets), "$undefined")
	}},
	// 1e999 is Infinity in JavaScript and no number in Go; it is passed on as it is.
	{"number beyond the largest", func(_ []engineio.Message, js, our verdict) bool {
		return strings.Contains(fmt.Sprint(js.Packets, our.Packets), notForGo)
	}},
	// Of a key that is there twice JavaScript drops the first value, and with it an
	// illegal placeholder.
	{"illegal placeholder in a value that is replaced", func(seq []engineio.Message, _, _ verdict) bool {
		at, err := blame(seq)
		later, _ := blame(withoutRepeatedKeys(seq))
		return errors.Is(err, errAttachments) && later != at
	}},
}

// withoutRepeatedKeys writes the payloads of a sequence anew.
func withoutRepeatedKeys(seq []engineio.Message) []engineio.Message {
	seq = slices.Clone(seq)
	for i, m := range seq {
		at := bytes.IndexAny(m.Data, "[{")
		if m.Binary || at < 0 {
			continue
		}
		var v any
		dec := json.NewDecoder(bytes.NewReader(m.Data[at:]))
		dec.UseNumber()
		if dec.Decode(&v) == nil && !dec.More() {
			payload, _ := json.Marshal(v)
			seq[i].Data = append(slices.Clone(m.Data[:at]), payload...)
		}
	}
	return seq
}

func explain(seq []engineio.Message, js, our verdict) string {
	for _, d := range differences {
		if d.is(seq, js, our) {
			return d.name
		}
	}
	return ""
}

// TestDifferentialWithNPM asks npm's parser about generated packets, malformed ones
// included. It runs for longer with, for example, -packets 3000000.
func TestDifferentialWithNPM(t *testing.T) {
	js := newJSParser(t, "socket.io-parser")
	gen := newGenerator()
	seen := map[string]int{}
	for done := 0; done < *packetCount; done += 1000 {
		batch := make([][]engineio.Message, 1000)
		for i := range batch {
			batch[i] = gen.sequence()
		}
		for i, answer := range js.ask(batch) {
			compare(t, batch[i], answer, seen)
		}
		if t.Failed() {
			t.Fatalf("seed %d, within packet %d", *packetSeed, done+1000)
		}
	}
	t.Logf("outcomes: %v", seen)
	for _, d := range differences {
		if seen[d.name] == 0 && *packetCount >= 200_000 {
			t.Errorf("nothing generated shows: %s", d.name)
		}
	}
}

// compare counts how the two parsers agree on a sequence, or why not.
func compare(t *testing.T, seq []engineio.Message, answer jsAnswer, seen map[string]int) {
	t.Helper()
	theirs, our := answer.verdict(), ours(seq)
	if reflect.DeepEqual(theirs, our) {
		seen[fmt.Sprintf("agreed, refused %v", our.Failed)]++
		checkAgain(t, answer)
		return
	}
	why := explain(seq, theirs, our)
	seen[why]++
	if why == "" {
		var shown []any
		for _, m := range seq {
			shown = append(shown, showMessage(m))
		}
		t.Errorf("%q\nnpm:  %+v (%s)\nours: %+v", shown, theirs, answer.Error, our)
	}
}

// checkAgain decodes what npm's parser encoded. That loses a property __proto__ on
// the way.
func checkAgain(t *testing.T, answer jsAnswer) {
	t.Helper()
	for _, p := range answer.Packets {
		if strings.Contains(fmt.Sprint(p.Data), "__proto__") {
			continue
		}
		var seq []engineio.Message
		for _, raw := range p.Again {
			seq = append(seq, hideMessage(t, raw))
		}
		again := ours(seq)
		if again.Failed || len(again.Packets) != 1 || !reflect.DeepEqual(again.Packets[0], p.view()) {
			t.Errorf("npm encoded %+v as %s, which is read as %+v", p.view(), bytes.Join(asBytes(p.Again), []byte(" ")), again)
		}
	}
}

func asBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, raw := range list {
		out[i] = raw
	}
	return out
}

// A generator makes message sequences: whole packets, packets of our own encoder,
// packets with a few characters changed, and noise.
type generator struct{ *rand.Rand }

func newGenerator() *generator { return &generator{rand.New(rand.NewPCG(*packetSeed, 0))} }

func (g *generator) sequence() []engineio.Message {
	var seq []engineio.Message
	for range 1 + g.IntN(2) {
		seq = append(seq, g.packet()...)
	}
	switch g.IntN(4) {
	case 0:
		g.damage(&seq[g.IntN(len(seq))])
	case 1:
		seq[g.IntN(len(seq))] = text(g.noise())
	}
	if g.IntN(20) == 0 {
		seq = append(seq, blob("stray"))
	}
	return seq
}

func (g *generator) packet() []engineio.Message {
	if g.IntN(4) == 0 {
		return g.encoded()
	}
	attachments := 0
	typ := g.IntN(7)
	if typ >= 5 {
		attachments = g.IntN(4)
	}
	s := fmt.Sprint(typ)
	if typ >= 5 {
		s += g.pick(g.pick(fmt.Sprint(attachments), fmt.Sprint(g.IntN(13)), "", "1e0", "+1", " 1", "0"), fmt.Sprint(attachments)) + "-"
	}
	s += g.pick("", "", "/chat,", "/", "/a", "/,", "/"+strings.Repeat("n", 250+g.IntN(10))+",", "/a\x01b,", "/é?x=1,")
	s += g.pick("", "", fmt.Sprint(g.IntN(1000)), "007", "9007199254740991", "9007199254740993", "12345678901234567890")
	s += g.pick("", "", "", " ")
	s += g.payload(typ, attachments)
	seq := []engineio.Message{text(s)}
	for i := range attachments {
		seq = append(seq, blob(strings.Repeat("x", i)))
	}
	return seq
}

func (g *generator) pick(options ...string) string { return options[g.IntN(len(options))] }

// payload is the JSON of a packet, mostly of the right kind.
func (g *generator) payload(typ, attachments int) string {
	if g.IntN(8) == 0 {
		typ = g.IntN(7)
	}
	switch typ {
	case 0, 4:
		return g.pick("", g.object(2, attachments), g.object(2, attachments), `"text"`, "null")
	case 1:
		return g.pick("", "", "{}", "false")
	case 3, 6:
		return "[" + g.list(3, attachments) + "]"
	}
	name := g.pick(`"e"`, `"e"`, `"message"`, `"connect"`, `"disconnecting"`, `"\u0063onnect"`, `""`, "1", "-2.5e3", "null", `{}`)
	if rest := g.list(3, attachments); rest != "" && g.IntN(5) > 0 {
		name += "," + rest
	}
	return "[" + name + "]"
}

func (g *generator) list(depth, attachments int) string {
	var parts []string
	for range g.IntN(4) {
		parts = append(parts, g.value(depth, attachments))
	}
	return strings.Join(parts, g.pick(",", ",", ", "))
}

func (g *generator) object(depth, attachments int) string {
	var parts []string
	for range g.IntN(4) {
		key := g.pick(`"a"`, `"b"`, `"num"`, `"_placeholder"`, `"\u005fplaceholder"`, `"__proto__"`, `"é\n"`)
		parts = append(parts, key+":"+g.value(depth, attachments))
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (g *generator) value(depth, attachments int) string {
	if depth == 0 || g.IntN(3) == 0 {
		return g.scalar()
	}
	switch g.IntN(5) {
	case 0:
		return "[" + g.list(depth-1, attachments) + "]"
	case 1, 2:
		return g.object(depth-1, attachments)
	case 3:
		if g.IntN(50) == 0 {
			n := 120 + g.IntN(15)
			return strings.Repeat("[", n) + strings.Repeat("]", n)
		}
	}
	num := g.pick(fmt.Sprint(g.IntN(attachments+1)), fmt.Sprint(g.IntN(attachments+1)),
		"0", "-1", "0.5", "1e0", "-0", `"0"`, "null", "99")
	return `{"_placeholder":` + g.pick("true", "true", "true", "false", "1") + `,"num":` + num + "}"
}

func (g *generator) scalar() string {
	return g.pick("0", "1", "-1.5", "1e3", "1E-2", "123456789012345678901234567890", "1e999", "true", "false", "null",
		`""`, `"text"`, `"\ud83d\ude00"`, `"\ud800"`, `"é"`, `"\\\"\/\b"`, "\"\u2028\"", `"]"`, `"{"`)
}

// damage changes a few characters of a text message.
func (g *generator) damage(m *engineio.Message) {
	if m.Binary {
		return
	}
	runes := []rune(string(m.Data))
	for range 1 + g.IntN(3) {
		at := g.IntN(len(runes) + 1)
		switch {
		case g.IntN(3) == 0 && at < len(runes):
			runes = append(runes[:at], runes[at+1:]...)
		case g.IntN(2) == 0 && at < len(runes):
			runes[at] = g.char()
		default:
			runes = append(runes[:at:at], append([]rune{g.char()}, runes[at:]...)...)
		}
	}
	m.Data = []byte(string(runes))
}

func (g *generator) char() rune {
	const chars = "0123456789-,/[]{}\":\\ \t\ntruefalsn+.eé\x00\x1e"
	all := []rune(chars)
	return all[g.IntN(len(all))]
}

func (g *generator) noise() string {
	var b strings.Builder
	for range g.IntN(12) {
		b.WriteRune(g.char())
	}
	return b.String()
}

// encoded is an event of our own encoder.
func (g *generator) encoded() []engineio.Message {
	var args []any
	for range g.IntN(4) {
		switch g.IntN(4) {
		case 0:
			args = append(args, binaryJSON(`$0`, strings.Repeat("y", g.IntN(5))))
		case 1:
			args = append(args, binaryJSON(fmt.Sprintf(`{"b":$0,"l":[$1,"<&>\u2028"],"n":%d}`, g.IntN(100)), "z", ""))
		default:
			args = append(args, g.scalarValue())
		}
	}
	p, err := Encode(g.pick("/", "/chat"), "e", args...)
	if err != nil {
		panic(err)
	}
	if g.IntN(2) == 0 {
		p.id = g.Int64N(maxSafeID)
	}
	return p.group(parserJSON).Messages()
}

func (g *generator) scalarValue() any {
	return []any{nil, true, 1.5, -7, "text", "\x00é", []string{"a"}}[g.IntN(7)]
}
