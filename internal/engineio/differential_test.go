package engineio

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/testneed"
)

var (
	payloadCount = flag.Int("payloads", 20_000, "how many generated payloads npm's parser is asked about")
	payloadSeed  = flag.Uint64("seed", 1, "where their generation begins")
)

// A verdict is what a parser makes of a payload.
type verdict struct {
	Packets []shown `json:"packets"`
	Failed  bool    `json:"failed"`
	Again   string  `json:"again"` // hex of the packets encoded again
}

type shown struct {
	Type   string `json:"type"`
	Binary bool   `json:"binary"`
	Data   string `json:"data"` // hex
}

// names are the packet types as npm's parser calls them, by number.
var names = []string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// Generated payloads, malformed ones included, are read the same by npm's
// engine.io-parser, and what it encodes is what we encode. Two known differences
// are not generated: invalid UTF-8, of which Node replaces each broken sequence
// and we each run of them; and characters beyond ASCII in base64, which we skip
// like anything else that is not base64, while Node takes the lower half of their
// code for a character.
//
//	go test -run TestPayloadsAgainstNPM -payloads 2000000 ./internal/engineio
func TestPayloadsAgainstNPM(t *testing.T) {
	const batch = 2000
	node := startNode(t)
	random := rand.New(rand.NewPCG(*payloadSeed, 0))
	for done := 0; done < *payloadCount; done += batch {
		payloads := make([]string, batch)
		for i := range payloads {
			payloads[i] = hex.EncodeToString(comparable(random))
		}
		for i, want := range node.ask(payloads) {
			payload, _ := hex.DecodeString(payloads[i])
			if diff := cmp.Diff(want, judge(payload)); diff != "" {
				t.Fatalf("%q (-npm +ours):\n%s", payload, diff)
			}
		}
	}
}

// judge is our verdict.
func judge(payload []byte) verdict {
	v := verdict{Packets: []shown{}}
	var again [][]byte
	for p, err := range decodePayload(payload) {
		if err != nil {
			v.Failed = true
			break
		}
		v.Packets = append(v.Packets, shown{names[p.kind-packetOpen], p.binary, hex.EncodeToString(p.data)})
		again = append(again, encodeAgain(p))
	}
	v.Again = hex.EncodeToString(bytes.Join(again, []byte{separator}))
	return v
}

func encodeAgain(p packet) []byte {
	if p.kind == packetMessage {
		return NewGroup(Message{Data: p.data, Binary: p.binary}).pollingPayload()
	}
	return append([]byte{byte(p.kind)}, p.data...)
}

// comparable is a random payload without the known differences.
func comparable(random *rand.Rand) []byte {
	for {
		b := randomPayload(random)
		odd := func(part []byte) bool {
			return bytes.HasPrefix(part, []byte{binaryPrefix}) &&
				bytes.ContainsFunc(part, func(r rune) bool { return r > unicode.MaxASCII })
		}
		if !slices.ContainsFunc(bytes.Split(b, []byte{separator}), odd) {
			return b
		}
	}
}

// pieces are what payloads are made of; the last is replaced by random text.
var pieces = []string{
	"\x1e", "\x1e", "\x1e", "0", "1", "2", "3", "4", "5", "6", "4", "4", "7", "b", "b", "b",
	"2probe", "4hello", "bAQIDBA==", "=", "==", "-", "_", "+/", "A", "Zg", "Zm8", "Zm9v", " ", "\n", "\x00",
	"é", "測試", "🦄", "{}", `{"sid":"x"}`, "",
}

func randomPayload(random *rand.Rand) []byte {
	var b []byte
	for range random.IntN(12) {
		piece := pieces[random.IntN(len(pieces))]
		if piece == "" {
			piece = string(rune(random.IntN(0xd800)))
		}
		b = append(b, piece...)
	}
	return b
}

// A nodeParser is npm's parser in a process of its own.
type nodeParser struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func startNode(t *testing.T) *nodeParser {
	t.Helper()
	node := testneed.Node(t)
	modules, err := filepath.Abs("../e2e/npm")
	if err != nil {
		t.Fatal(err)
	}
	testneed.NPM(t, modules)
	cmd := exec.CommandContext(t.Context(), node, "testdata/payloads.cjs", modules)
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
	return &nodeParser{t, in, bufio.NewReader(out)}
}

func (n *nodeParser) ask(payloads []string) (verdicts []verdict) {
	n.t.Helper()
	line, _ := json.Marshal(payloads) // strings
	if _, err := n.in.Write(append(line, '\n')); err != nil {
		n.t.Fatalf("node: %v", err)
	}
	reply, err := n.out.ReadBytes('\n')
	if err != nil {
		n.t.Fatalf("node: %v", err)
	}
	if err := json.Unmarshal(reply, &verdicts); err != nil {
		n.t.Fatal(err)
	}
	return verdicts
}
