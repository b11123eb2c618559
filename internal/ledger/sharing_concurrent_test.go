package ledger_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A cluster is a set of users who share with each other, through two processes if the
// database allows it.
type cluster struct {
	t       *testing.T
	ledgers []*ledger.Ledger
	store   *store.Store
	users   []models.User
	ids     []string // of expenses, one of each user, shared with all others
}

func eachCluster(t *testing.T, test func(c *cluster)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		c := &cluster{t: t, store: storetest.Open(t, o)}
		c.ledgers = []*ledger.Ledger{ledger.New(c.store, nil, ledger.Options{})}
		if c.store.Dialect() == "postgres" {
			c.ledgers = append(c.ledgers, ledger.New(storetest.Open(t, o), nil, ledger.Options{}))
		}
		for range 4 {
			c.users = append(c.users, storetest.User(t, c.store))
		}
		for _, u := range c.users {
			e, err := c.any().CreateExpense(t.Context(), u.ID, ledger.ExpenseCreation{Draft: lunch()})
			if err != nil {
				t.Fatal(err)
			}
			c.ids = append(c.ids, e.ID)
			for _, with := range c.users {
				if with.ID != u.ID {
					c.share(u, e.ID, with)
				}
			}
		}
		test(c)
	})
}

func (c *cluster) any() *ledger.Ledger { return c.ledgers[rand.IntN(len(c.ledgers))] }

func (c *cluster) share(owner models.User, id string, with models.User) {
	if err := storetest.Share(c.t, c.store, c.any(), owner.ID, id, with, models.RoleEditor, models.Author{}); err != nil {
		c.t.Errorf("share: %v", err)
	}
}

// refused reports whether an error is a refusal and not a server error.
func refused(err error) bool {
	return slices.Contains([]models.Kind{models.NotFound, models.Forbidden}, models.KindOf(err))
}

// checkAgreement compares each user's log with their list, and checks it for gaps.
func (c *cluster) checkAgreement() {
	c.t.Helper()
	for _, u := range c.users {
		changes, err := c.store.Changes(c.t.Context(), u.ID, 0, 100_000)
		if err != nil {
			c.t.Fatal(err)
		}
		fold, list := map[string]int64{}, map[string]int64{}
		for i, ch := range changes {
			switch {
			case ch.Seq != int64(i+1):
				c.t.Fatalf("change %d has sequence %d", i+1, ch.Seq)
			case ch.Kind == models.ExpenseDeleted:
				delete(fold, ch.EntityID)
			case ch.Kind.IsExpense():
				fold[ch.EntityID] = ch.Expense.Version
			}
		}
		err = c.store.EachExpense(c.t.Context(), u.ID, func(e models.Expense) error { list[e.ID] = e.Version; return nil })
		if diff := cmp.Diff(list, fold); err != nil || diff != "" {
			c.t.Errorf("%v, the list and the log differ (-list +log):\n%s", err, diff)
		}
	}
}

// All users edit a shared expense concurrently through several processes: no edit fails or
// blocks for ever, and each creates one version.
func TestSharersWriteAtOnceWithoutDeadlock(t *testing.T) {
	eachCluster(t, func(c *cluster) {
		const edits = 12
		var all sync.WaitGroup
		for _, u := range c.users {
			all.Go(func() {
				for i := range edits {
					notes := fmt.Sprint(i)
					if _, err := c.any().UpdateExpense(c.t.Context(), u.ID, c.ids[i%len(c.ids)], nil, models.Patch{Notes: &notes},
						models.Author{}); err != nil {
						c.t.Errorf("edit: %v", err)
					}
				}
			})
		}
		all.Wait()
		for _, id := range c.ids {
			e, err := c.store.ExpenseOf(c.t.Context(), c.users[0].ID, id)
			if want := int64(1 + edits); err != nil || e.Version != want {
				c.t.Errorf("version %d, %v, want %d", e.Version, err, want)
			}
		}
		c.checkAgreement()
	})
}

// Owners take away and give, members leave and edit, all at once.
func TestSharesComeAndGoAmongEdits(t *testing.T) {
	eachCluster(t, func(c *cluster) {
		var all sync.WaitGroup
		for n, u := range c.users {
			all.Go(func() {
				other := c.users[(n+1)%len(c.users)]
				for i := range 6 {
					c.share(u, c.ids[n], other)
					_, err := c.any().UpdateExpense(c.t.Context(), u.ID, c.ids[i%len(c.ids)], nil, models.Patch{Notes: ptr("x")},
						models.Author{})
					if err != nil && !refused(err) {
						c.t.Errorf("edit: %v", err)
					}
					_, err = c.any().Unshare(c.t.Context(), u.ID, c.ids[n], other.ID, models.Author{})
					if err != nil && !refused(err) {
						c.t.Errorf("unshare: %v", err)
					}
					_, err = c.any().Unshare(c.t.Context(), u.ID, c.ids[(n+2)%len(c.ids)], u.ID, models.Author{})
					if err != nil && !refused(err) {
						c.t.Errorf("leave: %v", err)
					}
				}
			})
		}
		all.Wait()
		c.checkAgreement()
	})
}

// A share's list is long and its users come from everywhere: an owner deletes
// while an editor edits, and while a user who has it is removed.
func TestAnOwnerDeletesWhileOthersEditAndGo(t *testing.T) {
	eachCluster(t, func(c *cluster) {
		var all sync.WaitGroup
		for n, u := range c.users[:3] {
			all.Go(func() {
				if _, err := c.any().DeleteExpense(c.t.Context(), u.ID, c.ids[n], models.Author{}); err != nil {
					c.t.Errorf("delete: %v", err)
				}
			})
			all.Go(func() {
				_, err := c.any().UpdateExpense(c.t.Context(), c.users[(n+1)%3].ID, c.ids[n], nil, models.Patch{Notes: ptr("x")},
					models.Author{})
				if err != nil && !refused(err) {
					c.t.Errorf("edit: %v", err)
				}
			})
		}
		all.Go(func() {
			if err := c.store.DeleteUser(c.t.Context(), c.users[3].ID); err != nil {
				c.t.Errorf("remove a user: %v", err)
			}
		})
		all.Wait()
		c.users = c.users[:3]
		c.checkAgreement()
		for _, u := range c.users {
			if err := c.store.EachExpense(c.t.Context(), u.ID,
				func(models.Expense) error { return errors.New("one is left") }); err != nil {
				c.t.Errorf("all were deleted: %v", err)
			}
		}
	})
}
