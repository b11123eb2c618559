// Package keyring has the secrets of an installation, and derives from them every key that
// the program uses.
//
//   - The first secret signs. All of them verify, so a secret can be replaced while
//     processes run: first each gets the new one as a further secret, then the two are
//     swapped. What a process signs is accepted by all others at every moment of both rolls.
//   - A key is of one purpose: what is signed for one is worth nothing for another, and a
//     key that becomes known reveals neither the secret nor another key. Tokens are the one
//     exception (Ring.Keys).
//   - The same secret and purpose give the same key in every process and every version.
package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
)

// A Ring is the secrets of an installation. It does not change. The zero Ring verifies
// nothing and must not sign.
type Ring struct{ secrets Keys }

// New returns the Ring that signs with current and also verifies with others, of which
// empty ones and repetitions do not count.
func New(current []byte, others ...[]byte) Ring {
	r := Ring{Keys{current}}
	for _, s := range others {
		if len(s) > 0 && !slices.ContainsFunc(r.secrets, func(known []byte) bool { return bytes.Equal(known, s) }) {
			r.secrets = append(r.secrets, s)
		}
	}
	return r
}

// Keys returns the secrets themselves as keys. They are for tokens alone: those of the
// original server are signed with its JWT_SECRET (docs/contract.md#tokens).
func (r Ring) Keys() Keys { return r.secrets }

// Derive returns the keys of a purpose, sha256.Size bytes each.
func (r Ring) Derive(purpose string) Keys {
	keys := make(Keys, len(r.secrets))
	for i, secret := range r.secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, purpose, sha256.Size)
		if err != nil {
			panic(err) // only for more than 255 times the size of the hash
		}
		keys[i] = key
	}
	return keys
}

// Keys are the keys of one purpose, in the order of the Ring's secrets.
type Keys [][]byte

// Signing returns the key that signs.
func (k Keys) Signing() []byte { return k[0] }

// Verify reports whether code is the one that mac returns for any of the keys.
func (k Keys) Verify(code []byte, mac func(key []byte) []byte) bool {
	return slices.ContainsFunc(k, func(key []byte) bool { return hmac.Equal(code, mac(key)) })
}
