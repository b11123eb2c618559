package engineio

import (
	"net/http"
	"strconv"
	"strings"
)

// deflateName is the name of the extension of RFC 7692.
const deflateName = "permessage-deflate"

// An extension is one offer in a Sec-WebSocket-Extensions header (RFC 6455 section 9.1).
type extension struct {
	name   string // as it was written
	params []extensionParam
}

type extensionParam struct {
	name, value string
	hasValue    bool
}

// parseExtensions parses the value of Sec-WebSocket-Extensions headers. A header with any
// syntax error offers nothing.
func parseExtensions(header string) (offers []extension, ok bool) {
	s := &headerScanner{rest: header}
	for {
		s.skipSpace()
		if s.take(',') { // an empty element of a list
			continue
		}
		if s.rest == "" {
			return offers, true
		}
		e, ok := s.extension()
		if !ok || s.rest != "" && !s.take(',') {
			return nil, false
		}
		offers = append(offers, e)
	}
}

// A headerScanner reads the value of a header from its beginning.
type headerScanner struct{ rest string }

func (s *headerScanner) skipSpace() { s.rest = strings.TrimLeft(s.rest, " \t") }

// take skips c, and reports whether it came next.
func (s *headerScanner) take(c byte) bool {
	if s.rest == "" || s.rest[0] != c {
		return false
	}
	s.rest = s.rest[1:]
	return true
}

// extension reads a name and its parameters, and the space behind them.
func (s *headerScanner) extension() (e extension, ok bool) {
	if e.name = s.token(); e.name == "" {
		return e, false
	}
	for s.skipSpace(); s.take(';'); s.skipSpace() {
		s.skipSpace()
		p := extensionParam{name: s.token()}
		if p.name == "" {
			return e, false
		}
		s.skipSpace()
		if p.hasValue = s.take('='); p.hasValue {
			s.skipSpace()
			if p.value, ok = s.value(); !ok {
				return e, false
			}
		}
		e.params = append(e.params, p)
	}
	return e, true
}

// token reads a token of HTTP; "" if none comes next.
func (s *headerScanner) token() string {
	n := strings.IndexFunc(s.rest, isNoTokenChar)
	if n < 0 {
		n = len(s.rest)
	}
	token := s.rest[:n]
	s.rest = s.rest[n:]
	return token
}

// value reads the value of a parameter. A quoted one must be a token too.
func (s *headerScanner) value() (string, bool) {
	if !s.take('"') {
		v := s.token()
		return v, v != ""
	}
	var v strings.Builder
	for s.rest != "" {
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '"':
			return v.String(), isToken(v.String())
		case c == '\\' && s.rest != "":
			c = s.rest[0]
			s.rest = s.rest[1:]
		}
		v.WriteByte(c)
	}
	return "", false
}

// offersDeflate reports whether the client offers a permessage-deflate that the server
// supports: no context takeover on either side, and no smaller window for what the server
// sends. An offer with a parameter that is unknown, invalid or repeated is declined (RFC
// 7692 section 7).
func offersDeflate(h http.Header) bool {
	offers, _ := parseExtensions(strings.Join(h.Values("Sec-WebSocket-Extensions"), ","))
	for _, e := range offers {
		if strings.EqualFold(e.name, deflateName) && acceptableDeflate(e.params) {
			return true
		}
	}
	return false
}

func acceptableDeflate(params []extensionParam) bool {
	seen := make(map[string]bool)
	for _, p := range params {
		name := strings.ToLower(p.name)
		if seen[name] {
			return false
		}
		seen[name] = true
		switch name {
		case "server_no_context_takeover", "client_no_context_takeover":
			if p.hasValue {
				return false
			}
		case "client_max_window_bits":
			if p.hasValue && !isWindow(p.value) {
				return false
			}
		default: // server_max_window_bits too: what is sent is compressed for all, with the largest window
			return false
		}
	}
	return true
}

// isWindow reports whether s is the number of bits of a window, without leading zeros.
func isWindow(s string) bool {
	bits, err := strconv.Atoi(s)
	return err == nil && bits >= 8 && bits <= 15 && s == strconv.Itoa(bits)
}
