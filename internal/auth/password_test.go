package auth

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
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

// A password was truncated after 72 bytes, so the rest was not checked.
func TestLongPasswordsCountWhole(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	long := strings.Repeat("ä", 60) // 120 bytes
	hash, err := h.Hash(t.Context(), long)
	if err != nil {
		t.Fatalf("Hash of 120 bytes: %v", err)
	}
	if err := h.Compare(t.Context(), hash, long); err != nil || isPlainBcrypt(hash) {
		t.Errorf("the same password: %v; others can verify it: %v", err, isPlainBcrypt(hash))
	}
	for _, other := range []string{long[:72] + "anything", long[:72], long + "x"} {
		if err := h.Compare(t.Context(), hash, other); !errors.Is(err, ErrMismatch) {
			t.Errorf("%d bytes, the first 72 alike: %v, want a mismatch", len(other), err)
		}
	}
}

func TestHashesThatWereCutAt72BytesStillVerify(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	long := strings.Repeat("ä", 60)
	old, err := bcrypt.GenerateFromPassword([]byte(long)[:72], bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Compare(t.Context(), old, long); err != nil {
		t.Errorf("the password of an old hash: %v", err)
	}
	if err := h.Compare(t.Context(), old, long[:70]); !errors.Is(err, ErrMismatch) {
		t.Errorf("70 bytes of it: %v, want a mismatch", err)
	}
}

func TestPasswordsUpTo72BytesAreHashedAsEverywhere(t *testing.T) {
	password := strings.Repeat("x", 72)
	hash, err := newHasher(1, bcrypt.MinCost).Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	if err := bcrypt.CompareHashAndPassword(hash, []byte(password)); err != nil || !isPlainBcrypt(hash) {
		t.Errorf("plain bcrypt does not verify it: %v", err)
	}
}

func TestCommonPasswords(t *testing.T) {
	for _, common := range []string{"123456", "password", "PassWord", "qwertyuiop", "      ", "zxcvbnm"} {
		if !CommonPassword(common) {
			t.Errorf("%q is not common", common)
		}
	}
	for _, rare := range []string{"", "123456\n654321", "correct horse battery staple", "wjd8dkwq0"} {
		if CommonPassword(rare) != (rare == "") {
			t.Errorf("CommonPassword(%q) = %v", rare, CommonPassword(rare))
		}
	}
}

func TestDefaultCostIsTheOriginals(t *testing.T) {
	hash, err := NewHasher(1).Hash(t.Context(), "geheim")
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
		h.slots.Try("somebody", 1) // hashes and never ends
		var crowded, impatient atomic.Int64
		began := time.Now()
		for i := range waitersPerSlot + 5 {
			go func() {
				_, err := h.Hash(models.WithAttempt(t.Context(), models.Attempt{From: strconv.Itoa(i)}), "x")
				if models.KindOf(err) != models.Unavailable {
					t.Errorf("Hash: %v, want unavailable", err)
				}
				if time.Since(began) == 0 {
					crowded.Add(1)
				} else if time.Since(began) == maxHashWait {
					impatient.Add(1)
				}
			}()
		}
		synctest.Wait()
		if crowded.Load() != 5 {
			t.Errorf("%d were sent away at once, want 5", crowded.Load())
		}
		time.Sleep(maxHashWait)
		synctest.Wait()
		if impatient.Load() != waitersPerSlot {
			t.Errorf("%d gave up after %v, want %d", impatient.Load(), maxHashWait, waitersPerSlot)
		}
		h.slots.Release("somebody", 1)
		if _, err := h.Hash(t.Context(), "x"); err != nil {
			t.Errorf("after the storm: %v", err)
		}
	})
}

func TestWaitingForASlotEndsWithTheRequest(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	h.slots.Try("somebody", 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "x"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash of a cancelled request: %v", err)
	}
}

func TestOneAddressKeptEverybodyFromSigningIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(1, bcrypt.MinCost)
		h.slots.Try("somebody", 1)
		from := func(address string) context.Context {
			return models.WithAttempt(t.Context(), models.Attempt{From: address})
		}
		turns := make(chan string, 200)
		sign := func(address string) {
			if _, err := h.Hash(from(address), "x"); err == nil {
				turns <- address
			}
		}
		for range 80 {
			go sign("greedy")
		}
		synctest.Wait()
		go sign("victim")
		synctest.Wait()
		h.slots.Release("somebody", 1)
		synctest.Wait()
		first := []string{<-turns, <-turns}
		if !slices.Contains(first, "victim") {
			t.Errorf("the first to be served were %v", first)
		}
	})
}

// A hundred addresses that tried one account occupied the whole queue.
func TestManyAddressesAtOneAccountLeaveRoomToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(1, bcrypt.MinCost)
		h.slots.Try("somebody", 1)
		from := func(i int) context.Context {
			return models.WithAttempt(t.Context(), models.Attempt{
				From: strconv.Itoa(i), Admit: func(string) error { return nil }, RecordFailure: func(string) {},
			})
		}
		var refused atomic.Int64
		for i := range 2 * waitersPerSlot {
			go func() {
				if err := h.Compare(from(i), []byte("the victim's"), "guess"); models.KindOf(err) == models.Unavailable {
					refused.Add(1)
				}
			}()
		}
		synctest.Wait()
		if waiting := 2*waitersPerSlot - refused.Load(); waiting > waitersPerSlot*2/3 {
			t.Errorf("%d guesses at one account wait", waiting)
		}
		tried := make(chan error, 1)
		go func() { tried <- h.Compare(from(-1), nil, "another's") }()
		synctest.Wait()
		h.slots.Release("somebody", 1)
		if err := <-tried; !errors.Is(err, ErrMismatch) {
			t.Errorf("another account: %v", err)
		}
	})
}

func TestGuessesAtOnceAreNoMoreThanOneAfterTheOther(t *testing.T) {
	h := newHasher(1, bcrypt.MinCost)
	var wrong, admitted atomic.Int64
	ctx := models.WithAttempt(t.Context(), models.Attempt{
		Admit: func(string) error {
			if wrong.Load() >= 20 {
				return models.E(models.TooMany, "too many")
			}
			admitted.Add(1)
			return nil
		},
		RecordFailure: func(string) { wrong.Add(1) },
	})
	var g sync.WaitGroup
	for range 30 {
		g.Go(func() { _ = h.Compare(ctx, nil, "guess") })
	}
	g.Wait()
	if admitted.Load() != 20 {
		t.Errorf("%d of 30 guesses at once were tried", admitted.Load())
	}
}

// isPlainBcrypt reports whether other programs can verify hash.
func isPlainBcrypt(hash []byte) bool { return !bytes.HasPrefix(hash, longPrefix) }
