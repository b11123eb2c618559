package emitters

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What notepack.io 3 makes of ["emitter", {type: 2, data: ["said", {n: 1}], nsp: "/"},
// {rooms: ["r"], flags: {}, except: []}].
const broadcast = "93a7656d697474657283a474797065" + "02a46461746192a47361696481a16e01a36e7370a12f" +
	"83a5726f6f6d7391a172a5666c61677380a665786365707490"

func decodeHex(t testing.TB, text string) string {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestABroadcastIsDecoded(t *testing.T) {
	m, what := decodeBroadcast(decodeHex(t, broadcast))
	if what != emitted || len(m.rooms) != 1 || m.rooms[0] != "r" || len(m.except) != 0 || m.packet == nil {
		t.Errorf("%v: %+v", Results[what], m)
	}
}

func TestBadBroadcasts(t *testing.T) {
	for name, tt := range map[string]struct {
		hex  string
		want result
	}{
		"nothing":             {"", malformed},
		"text":                {hex.EncodeToString([]byte("hello")), malformed},
		"cut off":             {broadcast[:40], malformed},
		"more behind":         {broadcast + "00", malformed},
		"of a server":         {strings.Replace(broadcast, "a7656d6974746572", "a773657276657231", 1), foreign},
		"another namespace":   {strings.Replace(broadcast, "a12f", "a22f78", 1), foreign},
		"no event":            {strings.Replace(broadcast, "a47479706502", "a47479706503", 1), malformed},
		"a reserved name":     {strings.Replace(broadcast, "a473616964", "aa646973636f6e6e656374", 1), malformed},
		"a number for a name": {strings.Replace(broadcast, "a473616964", "07", 1), malformed},
	} {
		t.Run(name, func(t *testing.T) {
			if m, what := decodeBroadcast(decodeHex(t, tt.hex)); what != tt.want {
				t.Errorf("%s: %+v", Results[what], m)
			}
		})
	}
}

func TestRequests(t *testing.T) {
	for payload, want := range map[string]result{
		`{"type":4,"opts":{"rooms":["r"],"except":["x"]},"close":true}`: disconnected,
		`{"type":2,"opts":{"rooms":["r"]},"rooms":["x"]}`:               refused,
		`{"uid":"emitter","type":6,"data":["hello"]}`:                   refused,
		`{"uid":"s","requestId":"1","type":5}`:                          refused,
		`{}`:                                                            malformed,
		`{"type":"4"}`:                                                  malformed,
		`{"type":4,"opts":{"rooms":"r"}}`:                               malformed,
		`{"type":4`:                                                     malformed,
		``:                                                              foreign,
		"\x93\x01":                                                      foreign,
		`{"type":4,"x":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`: malformed,
	} {
		m, what := decodeRequest(payload)
		if what != want || what == disconnected && (len(m.rooms) != 1 || len(m.except) != 1 || !m.closing || m.packet != nil) {
			t.Errorf("%.80s: %s %+v", payload, Results[what], m)
		}
	}
}

// What @msgpack/msgpack makes of {type: 3, data: {packet: {type: 2, data: ["said", 1], nsp: "/"},
// opts: {rooms: [], except: []}}, uid: "emitter"}.
const attached = "83a47479706503a46461746182a67061636b657483a47479706502a46461746192a47361696401a36e7370a12f" +
	"a46f70747382a5726f6f6d7390a665786365707490a3756964a7656d6974746572"

func TestNotifications(t *testing.T) {
	rows := map[int64]string{1: decodeHex(t, attached), 2: "garbage", 3: strings.Repeat("x", MaxPayload+1), 4: decodeHex(t, "80")}
	read := func(_ context.Context, id int64) ([]byte, error) {
		if id == 9 {
			return nil, errors.New("away")
		}
		if text, ok := rows[id]; ok {
			return []byte(text), nil
		}
		return nil, nil
	}
	for payload, want := range map[string]result{
		`{"uid":"emitter","type":3,"data":{"packet":{"type":2,"data":["said",1],"nsp":"/"},"opts":{"rooms":[],"except":[]}}}`: emitted,
		`{"uid":"emitter","type":3,"data":{"packet":{"type":2,"data":["said"],"nsp":"/x"},"opts":{}}}`:                        foreign,
		`{"uid":"server1","type":3,"data":{"packet":{"type":2,"data":["said"],"nsp":"/"},"opts":{}}}`:                         foreign,
		`{"uid":"emitter","type":6,"data":{"opts":{"rooms":["r"],"except":[]},"close":false}}`:                                disconnected,
		`{"uid":"emitter","type":4,"data":{"opts":{},"rooms":["x"]}}`:                                                         refused,
		`{"uid":"emitter","type":9,"data":{"packet":["hello"]}}`:                                                              refused,
		`{"uid":"emitter","type":3}`:                                                   malformed,
		`{"uid":"emitter","type":3,"data":{"packet":{}}}`:                              foreign,
		`{"uid":"emitter","type":3,"data":{"packet":{"type":2,"data":[],"nsp":"/"}}}`:  malformed,
		`{"uid":"emitter","type":3,"data":{"packet":{"type":2,"data":"x","nsp":"/"}}}`: malformed,
		`13116310110`: malformed,
		``:            malformed,
		`{"uid":"emitter","type":3,"attachmentId":"1"}`:                   emitted,
		`{"uid":"emitter","type":3,"attachmentId":1}`:                     emitted,
		`{"uid":"emitter","type":3,"attachmentId":"2"}`:                   malformed,
		`{"uid":"emitter","type":3,"attachmentId":"3"}`:                   tooLarge,
		`{"uid":"emitter","type":3,"attachmentId":"4"}`:                   refused,
		`{"uid":"emitter","type":3,"attachmentId":"5"}`:                   missing,
		`{"uid":"emitter","type":3,"attachmentId":"9"}`:                   missing,
		`{"uid":"emitter","type":3,"attachmentId":"1; DROP TABLE users"}`: malformed,
		`{"uid":"emitter","type":3,"attachmentId":{}}`:                    malformed,
	} {
		if m, what := decodeNotification(t.Context(), payload, read); what != want {
			t.Errorf("%s: %s %+v", payload, Results[what], m)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(decodeHex(f, broadcast))
	f.Add(decodeHex(f, attached))
	f.Add(`{"type":4,"opts":{"rooms":["r"],"except":["x"]},"close":true}`)
	f.Add(`{"uid":"emitter","type":3,"data":{"packet":{"type":2,"data":["said",1],"nsp":"/"},"opts":{"rooms":[],"except":[]}}}`)
	f.Add("\x93\xa7emitter\xd6\xff\x00\x00\x00\x00\xc7\x0c\xff123456789012")
	f.Fuzz(func(t *testing.T, payload string) {
		read := func(context.Context, int64) ([]byte, error) { return []byte(payload), nil }
		for _, decode := range []func() (message, result){
			func() (message, result) { return decodeBroadcast(payload) },
			func() (message, result) { return decodeRequest(payload) },
			func() (message, result) { return decodeNotification(t.Context(), payload, read) },
			func() (message, result) { return decodeAttached([]byte(payload)) },
		} {
			if m, what := decode(); (what == emitted) != (m.packet != nil) {
				t.Errorf("%s without a packet, or with one: %+v", Results[what], m)
			}
		}
	})
}
