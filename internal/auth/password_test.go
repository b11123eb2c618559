package auth

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"

	"expenseflow/models"
)

func TestHashesOfTheOriginalWork(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	hash, err := h.Hash(t.Context(), "geheim")
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"$2a$", "$2b$"} {
		old := []byte(version + string(hash[4:]))
		if err := h.Compare(t.Context(), old, "geheim"); err != nil {
			t.Errorf("%s: %v", version, err)
		}
		if err := h.Compare(t.Context(), old, "falsch"); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s with a wrong password: %v", version, err)
		}
	}
}

func TestPasswordIsCutAt72Bytes(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	long := strings.Repeat("ä", 60) // 120 bytes
	hash, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatalf("Hash of 120 bytes: %v", err)
	}
	if err := h.Compare(t.Context(), hash, long[:72]+"anything"); err != nil {
		t.Errorf("equal in the first 72 bytes: %v", err)
	}
	if err := h.Compare(t.Context(), hash, long[:71]); !errors.Is(err, ErrMismatch) {
		t.Errorf("71 bytes: %v, want a mismatch", err)
	}
}

func TestDefaultCostIsTheOriginals(t *testing.T) {
	hash, err := NewHasher().Hash(t.Context(), "geheim")
	if err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost(hash); err != nil || cost != 12 || !strings.HasPrefix(string(hash), "$2a$") {
		t.Errorf("hash %.7s of cost %d (%v), want $2a$12$", hash, cost, err)
	}
}

func TestNoHashNeverMatches(t *testing.T) {
	if err := newHasher(1, bcrypt.MinCost).Compare(t.Context(), nil, ""); !errors.Is(err, ErrMismatch) {
		t.Errorf("Compare with no hash: %v", err)
	}
}

func TestBrokenHashIsOurFault(t *testing.T) {
	err := newHasher(1, bcrypt.MinCost).Compare(t.Context(), []byte("$2a$nonsense"), "x")
	if err == nil || models.KindOf(err) != models.Internal {
		t.Errorf("Compare with a broken hash: %v", err)
	}
}

func TestLoginStormWaitsInBoundsAndIsToldToReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(1, bcrypt.MinCost)
		h.slots <- struct{}{} // somebody hashes and never ends
		var crowded, impatient atomic.Int64
		began := time.Now()
		for range waitersPerSlot + 5 {
			go func() {
				_, err := h.Hash(t.Context(), "x")
				if models.KindOf(err) != models.Unavailable {
					t.Errorf("Hash: %v, want unavailable", err)
				}
				if time.Since(began) == 0 {
					crowded.Add(1)
				} else if time.Since(began) == hashPatience {
					impatient.Add(1)
				}
			}()
		}
		synctest.Wait()
		if crowded.Load() != 5 {
			t.Errorf("%d were sent away at once, want 5", crowded.Load())
		}
		time.Sleep(hashPatience)
		synctest.Wait()
		if impatient.Load() != waitersPerSlot {
			t.Errorf("%d gave up after %v, want %d", impatient.Load(), hashPatience, waitersPerSlot)
		}
		h.release()
		if _, err := h.Hash(t.Context(), "x"); err != nil {
			t.Errorf("after the storm: %v", err)
		}
	})
}

func TestWaitingForASlotEndsWithTheRequest(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	h.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash of a cancelled request: %v", err)
	}
}
