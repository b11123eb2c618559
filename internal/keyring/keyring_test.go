package keyring

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"testing"
)

var before, after = []byte("the secret before"), []byte("the secret after")

func code(text string) func(key []byte) []byte {
	return func(key []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
}

func TestTheFirstSecretSignsAndAllVerify(t *testing.T) {
	old, next, swapped, done := New(before), New(before, after), New(after, before), New(after)
	accepts := []struct {
		name         string
		signs, reads Ring
		want         bool
	}{
		{"before the first roll", old, old, true},
		{"first roll, from the new", next, old, true},
		{"first roll, from the old", old, next, true},
		{"second roll, from the new", swapped, next, true},
		{"second roll, from the old", next, swapped, true},
		{"last roll, from the new", done, swapped, true},
		{"last roll, from the old", swapped, done, true},
		{"both at once, from the new", swapped, old, false},
		{"the secret is gone", old, done, false},
	}
	for _, tt := range accepts {
		signed := code("text")(tt.signs.Derive("purpose").Signing())
		if got := tt.reads.Derive("purpose").Verify(signed, code("text")); got != tt.want {
			t.Errorf("%s: accepted is %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestKeysAreOfOnePurposeAndDoNotChange(t *testing.T) {
	r := New(before)
	key := r.Derive("expenseflow: private session ids").Signing()
	if bytes.Equal(key, r.Derive("expenseflow: forwarded requests").Signing()) || bytes.Equal(key, before) {
		t.Error("the keys of two purposes are equal, or the secret itself")
	}
	const want = "99f9d199e7403409e28a30785d6c65c4009be71cf00b3059f1fe713ff8c7c4cb" // what the versions before derived
	if got := hex.EncodeToString(key); got != want {
		t.Errorf("the key is %s, and was %s in the versions before", got, want)
	}
}

func TestEmptyAndRepeatedSecretsDoNotCount(t *testing.T) {
	if got := New(after, nil, after, before, before, []byte{}).Keys(); len(got) != 2 || !bytes.Equal(got.Signing(), after) {
		t.Errorf("New keeps %d secrets, want the two there are", len(got))
	}
}
