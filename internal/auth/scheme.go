package auth

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

// longPrefix begins the stored hash of a password of more than maxPassword bytes:
// what follows is the bcrypt hash of base64(SHA-256(password)), so that all of the
// password counts. Every other stored hash is plain bcrypt, as the original made it.
var longPrefix = []byte("$bcrypt-sha256$")

// OtherProgramsCanVerify reports whether hash is plain bcrypt, which the original
// installation and most other programs verify.
func OtherProgramsCanVerify(hash []byte) bool { return !bytes.HasPrefix(hash, longPrefix) }

// encode returns what bcrypt hashes of a new password, and how the stored hash
// begins.
func encode(password string) (secret, prefix []byte) {
	if len(password) <= maxPassword {
		return []byte(password), nil
	}
	return digest(password), longPrefix
}

// decode splits a stored hash into bcrypt's own and what bcrypt hashed of the
// password. Plain bcrypt counts the first 72 bytes alone.
func decode(stored []byte, password string) (hash, secret []byte) {
	if hash, ok := bytes.CutPrefix(stored, longPrefix); ok {
		return hash, digest(password)
	}
	return stored, []byte(password)[:min(len(password), maxPassword)]
}

func digest(password string) []byte {
	sum := sha256.Sum256([]byte(password))
	return []byte(base64.StdEncoding.EncodeToString(sum[:]))
}
