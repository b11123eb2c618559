package rawjson

import "unicode/utf8"

// AppendString appends s as a JSON string, byte for byte as an encoding/json.Encoder
// does with SetEscapeHTML(false): "<", ">" and "&" stay as they are.
func AppendString(b []byte, s string) []byte { return appendQuoted(b, s, &plain) }

// AppendHTMLString appends s as a JSON string, byte for byte as json.Marshal does: "<",
// ">" and "&" are escaped too, so that the JSON may stand in a page.
func AppendHTMLString(b []byte, s string) []byte { return appendQuoted(b, s, &htmlSafe) }

// plain and htmlSafe hold, for each byte below 0x80, whether it is written as it is.
var plain, htmlSafe = safeBytes(`"\`), safeBytes(`"\<>&`)

func safeBytes(unsafe string) (safe [utf8.RuneSelf]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		safe[c] = true
	}
	for _, c := range []byte(unsafe) {
		safe[c] = false
	}
	return safe
}

// appendQuoted copies runs of bytes that need no escape at once.
func appendQuoted(b []byte, s string, safe *[utf8.RuneSelf]bool) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if !safe[c] {
				b = appendEscaped(append(b, s[start:i]...), c)
				start = i + 1
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if escape := runeEscape(r, size); escape != "" {
			b = append(append(b, s[start:i]...), escape...)
			start = i + size
		}
		i += size
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

// appendEscaped appends the escape of an ASCII character.
func appendEscaped(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, '\\', 'b')
	case '\f':
		return append(b, '\\', 'f')
	case '\n':
		return append(b, '\\', 'n')
	case '\r':
		return append(b, '\\', 'r')
	case '\t':
		return append(b, '\\', 't')
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// runeEscape returns the escape of a character beyond ASCII, "" if it needs none. A
// byte that is not UTF-8 becomes U+FFFD; the two separators would end a line of
// JavaScript.
func runeEscape(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return `\ufffd`
	case r == '\u2028':
		return `\u2028`
	case r == '\u2029':
		return `\u2029`
	}
	return ""
}
