package socketio

import (
	"strings"
	"testing"
)

func TestReadMsgpack(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"a value", "93a161c0c3", `["a",null,true]`},
		{"binary", "92c40161c7010062", `["YQ==","Yg=="]`},
		{"timestamp of 4 bytes", "d6ff00000001", `"1970-01-01T00:00:01.000Z"`},
		{"timestamp of 8 bytes", "d7ff3b9ac9fc696e1940", `"2026-01-19T11:45:04.249Z"`},
		{"timestamp of 12 bytes", "c70cff0ee6b280fffffffffffffffe", `"1969-12-31T23:59:58.250Z"`},
		{"no Date", "c70cff000000007fffffffffffffff", "null"},
		{"a buffer of 12 bytes", "c70c00303132333435363738393a3b", `"MDEyMzQ1Njc4OTo7"`},
		{"notepack's date", "d7000000018bcfe56800", `"2023-11-14T22:13:20.000Z"`},
	} {
		raw, attachments, err := ReadMsgpack(unhex(t, tt.value), 10)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if got := string(inline(raw, attachments)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for name, value := range map[string]string{
		"nothing": "", "cut off": "92c3", "more behind": "c3c3", "too deep": strings.Repeat("91", 20) + "c0",
		"a timestamp that is cut off": "d6ff0000", "no nanoseconds": "c70cff7fffffff0000000000000000",
		"another extension": "d6fe00000000",
	} {
		if raw, _, err := ReadMsgpack(unhex(t, value), 10); err == nil {
			t.Errorf("%s: %s", name, raw)
		}
	}
}

// Clients do not write timestamps, so a packet with one is refused as before.
func TestClientsWriteNoTimestamps(t *testing.T) {
	data := unhex(t, "83"+"a474797065"+"02"+"a36e7370"+"a12f"+"a464617461"+"92"+"a165"+"d6ff00000001")
	if p, err := parseMsgpack(data, &testLimits); err == nil {
		t.Errorf("%s", p.args)
	}
}
