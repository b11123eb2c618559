package engineio

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Whatever a header says, it is understood the same when it is written again, and what is
// agreed to was offered by its name.
func FuzzExtensions(f *testing.F) {
	for _, seed := range []string{
		"permessage-deflate; client_max_window_bits", `a; b="c\d", , permessage-deflate;server_no_context_takeover`,
		"permessage-deflate; client_max_window_bits=09", `x; y="a\", permessage-deflate"`, ";", "\x00", `"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		offers, ok := parseExtensions(header)
		if !ok && offers != nil {
			t.Errorf("%q is invalid and offers %v", header, offers)
		}
		again, ok := parseExtensions(write(offers))
		if diff := cmp.Diff(offers, again, cmp.AllowUnexported(extension{}, extensionParam{})); !ok || diff != "" {
			t.Errorf("%q is understood otherwise as %q: %s", header, write(offers), diff)
		}
		if offersDeflate(http.Header{"Sec-Websocket-Extensions": {header}}) && !strings.Contains(strings.ToLower(header), deflateName) {
			t.Errorf("%q is agreed to", header)
		}
	})
}

func write(offers []extension) string {
	var parts []string
	for _, e := range offers {
		text := e.name
		for _, p := range e.params {
			text += ";" + p.name
			if p.hasValue {
				text += "=" + p.value
			}
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ",")
}

func TestAGroupIsCompressedOnce(t *testing.T) {
	g := NewGroup(Message{Data: []byte(strings.Repeat("compress me ", 100))})
	if a, b := g.deflatedFrames(), g.deflatedFrames(); &a[0] != &b[0] || len(a) > 200 {
		t.Errorf("compressed twice, or to %d bytes", len(a))
	}
	little := NewGroup(Message{Data: []byte("little")})
	if a, b := little.deflatedFrames(), little.webSocketFrames(); &a[0] != &b[0] {
		t.Error("what is too small to be compressed is in memory twice")
	}
}
