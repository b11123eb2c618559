package sockets

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"expenseflow/internal/keyring"
)

// The parts of a private session id, in bytes: the sequence at which it was issued,
// randomness, and the code that authenticates both.
const (
	pidSeqBytes    = 8
	pidRandomBytes = 12
	pidBodyBytes   = pidSeqBytes + pidRandomBytes
	pidCodeBytes   = 16
)

var pidEncoding = base64.RawURLEncoding.Strict()

// A pidSigner issues private session ids (pids) and verifies them. A pid is valid for
// one user and one epoch, in every process that has the secret which signed it, and says
// at which sequence of the user's log it was issued. Nothing is stored. Its methods may be
// called concurrently.
type pidSigner struct{ keys keyring.Keys }

func newPIDSigner(ring keyring.Ring) pidSigner {
	return pidSigner{ring.Derive("expenseflow: private session ids")}
}

// issue makes a pid for a client of the user that is at seq.
func (p pidSigner) issue(epoch, userID string, seq int64) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, pidBodyBytes+pidCodeBytes), uint64(seq))[:pidBodyBytes]
	_, _ = rand.Read(b[pidSeqBytes:]) // never fails
	return pidEncoding.EncodeToString(append(b, pidCode(p.keys.Signing(), epoch, userID, b)...))
}

// verify returns the sequence at which a pid was issued. ok is false if it was not
// issued to this user in this epoch.
func (p pidSigner) verify(epoch, userID, pid string) (seq int64, ok bool) {
	if len(pid) != pidEncoding.EncodedLen(pidBodyBytes+pidCodeBytes) {
		return 0, false
	}
	b, err := pidEncoding.DecodeString(pid)
	if err != nil {
		return 0, false
	}
	body, code := b[:pidBodyBytes], b[pidBodyBytes:]
	if !p.keys.Verify(code, func(key []byte) []byte { return pidCode(key, epoch, userID, body) }) {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(b)), true
}

// pidCode authenticates the body of a pid for this user and epoch.
func pidCode(key []byte, epoch, userID string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(epoch + "\n" + userID + "\n"))
	mac.Write(body)
	return mac.Sum(nil)[:pidCodeBytes]
}

// pidHash identifies a pid in the store without revealing it.
func pidHash(pid string) string {
	sum := sha256.Sum256([]byte(pid))
	return pidEncoding.EncodeToString(sum[:])
}
