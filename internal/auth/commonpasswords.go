package auth

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
)

// commonPasswords is a list of 28,000 passwords of six characters and more that
// were found most often in breaches, sorted, one a line: the list of npm's zxcvbn
// 4.4.2 (MIT, common/LICENSE), packed by gencommon.
//
//go:embed common/passwords.txt.gz
var commonPasswords []byte

var commonList = sync.OnceValue(func() string {
	z, err := gzip.NewReader(bytes.NewReader(commonPasswords))
	if err != nil {
		panic("auth: the embedded list of common passwords is damaged: " + err.Error())
	}
	text, err := io.ReadAll(z)
	if err != nil {
		panic("auth: the embedded list of common passwords is damaged: " + err.Error())
	}
	return string(text)
})

// CommonPassword reports whether a password is blank or in the list of common passwords,
// ignoring case.
func CommonPassword(password string) bool {
	word := strings.ToLower(password)
	if strings.TrimSpace(word) == "" {
		return true
	}
	return !strings.Contains(word, "\n") && strings.Contains(commonList(), "\n"+word+"\n")
}
