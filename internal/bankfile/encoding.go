package bankfile

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"expenseflow/models"
)

// Encodings are the names of the encodings that Open reads.
var Encodings = []string{"utf-8", "utf-16le", "utf-16be", "windows-1252", "windows-1250", "windows-1251"}

var decoders = map[string]encoding.Encoding{
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"windows-1252": charmap.Windows1252,
	"windows-1250": charmap.Windows1250,
	"windows-1251": charmap.Windows1251,
}

// decode returns a file as valid UTF-8 without a byte order mark, and its encoding: the one that
// is named, or the one that its bytes show.
func decode(data []byte, named string) (text, name string, err error) {
	if name = named; name == "" {
		name = guessEncoding(data)
	}
	d, ok := decoders[name]
	if !ok {
		return strings.TrimPrefix(strings.ToValidUTF8(string(data), "\ufffd"), "\ufeff"), "utf-8", nil
	}
	decoded, err := d.NewDecoder().Bytes(data)
	if err != nil {
		return "", "", models.E(models.Invalid, "The file is not in "+name+": choose another encoding")
	}
	return strings.TrimPrefix(strings.ToValidUTF8(string(decoded), "\ufffd"), "\ufeff"), name, nil
}

// guessEncoding knows UTF-16 by its mark, or by the zero bytes of Latin letters; and takes what
// is no UTF-8 for the most common encoding of Windows.
func guessEncoding(data []byte) string {
	head := data[:min(len(data), 512)]
	even, odd := zeros(head)
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), odd > len(head)/4 && even == 0:
		return "utf-16le"
	case bytes.HasPrefix(data, []byte("\xfe\xff")), even > len(head)/4 && odd == 0:
		return "utf-16be"
	case !utf8.Valid(data):
		return "windows-1252"
	}
	return "utf-8"
}

// zeros counts the zero bytes at even and at odd places.
func zeros(b []byte) (even, odd int) {
	for i, c := range b {
		switch {
		case c != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}
