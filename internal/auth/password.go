package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/bcrypt"

	"expenseflow/internal/fair"
	"expenseflow/models"
)

const (
	// bcryptCost takes about a quarter of a second (docs/contract.md#documents).
	bcryptCost = 12
	// maxPassword is the number of bytes that bcrypt uses; see encodePassword for longer ones.
	maxPassword = 72

	// waitersPerSlot and maxHashWait limit the queue of sign-ins. Requests beyond them
	// fail with a Retry-After. They allow a hundred people behind one proxy to sign in at
	// once, which takes half a minute on one processor.
	waitersPerSlot = 256
	maxHashWait    = 45 * time.Second
	hashRetryAfter = 2 * time.Second
)

// ErrMismatch is the error of a wrong password. An unknown address has the same message
// (docs/contract.md#routes).
var ErrMismatch = models.E(models.Invalid, "Invalid credentials")

// A Hasher hashes and compares passwords with bcrypt. It limits the number of concurrent
// hashes, because each occupies a processor for a quarter of a second. Its methods may be
// called concurrently.
//
// The slots and the places in the queue are shared fairly by models.Attempt.From: an
// address that signs in a hundred times delays others by at most one hash. Places are
// shared by account too, so that guesses at one account from many addresses leave room.
type Hasher struct {
	slots    *fair.Pool // by address: hashes that run
	accounts *fair.Pool // by account: hashes that run or wait
	cost     int
}

// NewHasher returns a Hasher that uses at most half of the process's processors.
func NewHasher(processors int) *Hasher { return newHasher(max(1, processors/2), bcryptCost) }

func newHasher(slots, cost int) *Hasher {
	waiting := waitersPerSlot * int64(slots)
	return &Hasher{
		slots:    fair.New(fair.Options{Capacity: int64(slots), Waiting: waiting}),
		accounts: fair.New(fair.Options{Capacity: waiting + int64(slots)}),
		cost:     cost,
	}
}

// Crowded reports whether so many requests wait that frequent clients should be refused.
func (h *Hasher) Crowded() bool { return h.slots.Crowded() }

// Hash returns the hash of a new password to store. Errors: models.Unavailable if too many
// requests wait, and ctx's.
func (h *Hasher) Hash(ctx context.Context, password string) ([]byte, error) {
	release, err := h.acquire(ctx, "")
	if err != nil {
		return nil, err
	}
	defer release()
	secret, prefix := encodePassword(password)
	hash, err := bcrypt.GenerateFromPassword(secret, h.cost)
	if err != nil {
		return nil, fmt.Errorf("hash a password: %w", err)
	}
	return append(bytes.Clone(prefix), hash...), nil
}

// Compare returns ErrMismatch if password is not the hashed one. It accepts $2a$ and $2b$
// hashes of any cost, and those of Hash. A nil hash never matches but takes the same time,
// so that an unknown address takes as long as a wrong password. Other errors are as for
// Hash.
func (h *Hasher) Compare(ctx context.Context, stored []byte, password string) error {
	attempt, account := models.AttemptFrom(ctx), string(stored)
	release, err := h.acquire(ctx, account)
	if err != nil {
		return err
	}
	defer release()
	if err := attempt.Admit(account); err != nil { // after the wait, so that concurrent guesses are counted
		return err
	}
	hash, secret := decodeHash(stored, password)
	if len(hash) == 0 {
		_, _ = bcrypt.GenerateFromPassword(secret, h.cost) // takes the same time
		attempt.RecordFailure(account)
		return ErrMismatch
	}
	err = bcrypt.CompareHashAndPassword(hash, secret)
	if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		attempt.RecordFailure(account)
		return ErrMismatch
	}
	if err != nil {
		return fmt.Errorf("compare a password: %w", err)
	}
	return nil
}

// acquire waits for a slot for at most maxHashWait. It fails if the queue is full. A hash
// without an account counts for its address.
func (h *Hasher) acquire(ctx context.Context, account string) (release func(), err error) {
	from := models.AttemptFrom(ctx).From
	if account == "" {
		account = "of " + from
	}
	if !h.accounts.Try(account, 1) {
		return nil, errBusy
	}
	waiting, cancel := context.WithTimeout(ctx, maxHashWait)
	defer cancel()
	if err := h.slots.Acquire(waiting, from, 1); err != nil {
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
	Setting: models.FixedLimit,
}
