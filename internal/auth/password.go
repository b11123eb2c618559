package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/crypto/bcrypt"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

const (
	// bcryptCost is the original's (docs/contract.md#documents): about a quarter of a second.
	bcryptCost = 12
	// maxPassword is how many bytes bcrypt looks at; see encode for longer ones.
	maxPassword = 72

	// waitersPerSlot and hashPatience bound a storm of sign-ins: whoever would
	// wait longer is told to come again. A hundred people who sign in at once behind one
	// proxy, which is one address, have their turns in half a minute on one processor.
	waitersPerSlot = 256
	hashPatience   = 45 * time.Second
	hashRetryAfter = 2 * time.Second
)

// ErrMismatch says that a password is not the hash's, in the words of
// docs/contract.md#routes, which are the same for an unknown address.
var ErrMismatch = models.E(models.Invalid, "Invalid credentials")

// A Hasher hashes and compares passwords with bcrypt, a few at a time: each
// takes a processor for a quarter of a second, and a storm of sign-ins must
// leave some of them to everybody else. Its methods may be called concurrently.
//
// Waiting places and turns are divided by models.Attempt.From, so whoever signs in
// from one address a hundred times keeps nobody else waiting for more than a turn. Places
// are divided by account too: many addresses that try one leave room for the others.
type Hasher struct {
	slots    *fair.Pool // by address
	accounts *fair.Pool // by account: who hashes or waits
	cost     int
}

// NewHasher makes a Hasher that takes at most half of the processors.
func NewHasher() *Hasher { return newHasher(max(1, runtime.GOMAXPROCS(0)/2), bcryptCost) }

func newHasher(slots, cost int) *Hasher {
	waiting := waitersPerSlot * int64(slots)
	return &Hasher{
		slots:    fair.New(fair.Options{Capacity: int64(slots), Waiting: waiting}),
		accounts: fair.New(fair.Options{Capacity: waiting + int64(slots)}),
		cost:     cost,
	}
}

// Crowded reports whether so many wait that those who come often should not.
func (h *Hasher) Crowded() bool { return h.slots.Crowded() }

// Hash returns what is to be stored of a new password (see encode). It fails with
// models.Unavailable when too many wait already, and with ctx's error.
func (h *Hasher) Hash(ctx context.Context, password string) ([]byte, error) {
	release, err := h.acquire(ctx, "")
	if err != nil {
		return nil, err
	}
	defer release()
	secret, prefix := encode(password)
	hash, err := bcrypt.GenerateFromPassword(secret, h.cost)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return append(bytes.Clone(prefix), hash...), nil
}

// Compare tells by ErrMismatch that password is not the one hashed. $2a$ and
// $2b$ hashes of any cost work, and those that Hash made. A nil hash costs the time of a real one and
// never matches: so an unknown address takes as long as a wrong password.
// Other errors are Hash's.
func (h *Hasher) Compare(ctx context.Context, stored []byte, password string) error {
	attempt, account := models.AttemptFrom(ctx), string(stored)
	release, err := h.acquire(ctx, account)
	if err != nil {
		return err
	}
	defer release()
	if err := attempt.Admit(account); err != nil { // after the wait: guesses at once are none too many
		return err
	}
	hash, secret := decode(stored, password)
	if len(hash) == 0 {
		_, _ = bcrypt.GenerateFromPassword(secret, h.cost) // for the time it takes
		attempt.Wrong(account)
		return ErrMismatch
	}
	err = bcrypt.CompareHashAndPassword(hash, secret)
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		attempt.Wrong(account)
		return ErrMismatch
	}
	if err != nil {
		return fmt.Errorf("compare a password: %w", err)
	}
	return nil
}

// acquire waits for a slot, but neither in a crowd nor for long. What is of no account
// counts for its address.
func (h *Hasher) acquire(ctx context.Context, account string) (release func(), err error) {
	from := models.AttemptFrom(ctx).From
	if account == "" {
		account = "of " + from
	}
	if !h.accounts.Try(account, 1) {
		return nil, errBusy
	}
	patient, cancel := context.WithTimeout(ctx, hashPatience)
	defer cancel()
	if err := h.slots.Acquire(patient, from, 1); err != nil {
		h.accounts.Release(account, 1)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("wait for a password slot: %w", ctx.Err())
		}
		return nil, errBusy
	}
	return func() {
		h.slots.Release(from, 1)
		h.accounts.Release(account, 1)
	}, nil
}

var errBusy = &models.Error{
	Kind: models.Unavailable, Msg: "Too many sign-ins at once. Please try again in a moment.", RetryAfter: hashRetryAfter,
}
