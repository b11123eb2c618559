package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

// longPrefix is the prefix of the stored hash of a password with more than maxPassword
// bytes. The bcrypt hash of base64(SHA-256(password)) follows, so that the whole password
// counts. All other stored hashes are plain bcrypt.
var longPrefix = []byte("$bcrypt-sha256$")

// encodePassword returns the input of bcrypt for a new password, and the prefix of the
// stored hash.
func encodePassword(password string) (secret, prefix []byte) {
	if len(password) <= maxPassword {
		return []byte(password), nil
	}
	return passwordDigest(password), longPrefix
}

// decodeHash returns the bcrypt hash in a stored hash, and the input of bcrypt for a
// password. Plain bcrypt uses only the first 72 bytes.
func decodeHash(stored []byte, password string) (hash, secret []byte) {
	if hash, ok := bytes.CutPrefix(stored, longPrefix); ok {
		return hash, passwordDigest(password)
	}
	return stored, []byte(password)[:min(len(password), maxPassword)]
}

func passwordDigest(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}
