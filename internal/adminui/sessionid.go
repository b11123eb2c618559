package adminui

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"time"

	"expenseflow/internal/keyring"
)

// sessionIDs issues and checks the session ids of admins. An id is the time at which it
// ends and an authentication code of that and of the address to which it was given, so that
// every process knows it and none keeps it. Another user name or password ends all ids.
type sessionIDs struct {
	keys        keyring.Keys
	credentials [sha256.Size]byte // digest of the user name and the password
}

const (
	sessionEndBytes  = 4 // seconds since 1970
	sessionCodeBytes = 16
)

func newSessionIDs(o *Options) sessionIDs {
	return sessionIDs{o.Keys, sha256.Sum256([]byte(o.User + "\x00" + o.Password))}
}

// issue returns an id for an address, in hex digits.
func (s sessionIDs) issue(address string, now time.Time) string {
	ends := binary.BigEndian.AppendUint32(nil, uint32(now.Add(sessionLifetime).Unix()))
	return hex.EncodeToString(append(ends, s.code(ends, address)(s.keys.Signing())...))
}

// valid reports whether id was issued for the address and has not ended.
func (s sessionIDs) valid(id, address string, now time.Time) bool {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != sessionEndBytes+sessionCodeBytes {
		return false
	}
	ends, code := b[:sessionEndBytes], b[sessionEndBytes:]
	return now.Unix() < int64(binary.BigEndian.Uint32(ends)) && s.keys.Verify(code, s.code(ends, address))
}

// code returns the function that makes the authentication code of an id with a key.
func (s sessionIDs) code(ends []byte, address string) func(key []byte) []byte {
	return func(key []byte) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(s.credentials[:])
		mac.Write(ends)
		mac.Write([]byte(address))
		return mac.Sum(nil)[:sessionCodeBytes]
	}
}

// sameText compares in a time that says nothing about want.
func sameText(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1
}
