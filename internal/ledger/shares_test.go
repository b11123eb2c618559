package ledger_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A sharingFixture is a ledger with users who share an expense. All but the stranger have
// access to it at some time.
type sharingFixture struct {
	*ledger.Ledger
	t     *testing.T
	store *store.Store

	owner, editor, viewer, former, stranger models.User
	expense                                 models.Expense // the owner's, as made

	mu    sync.Mutex
	woken map[string]int
	lost  []string // expense and user, of Options.OnAccessLost
}

// eachSharingFixture runs a test on both engines.
func eachSharingFixture(t *testing.T, test func(f *sharingFixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		test(newSharingFixture(t, options(t)))
	})
}

func newSharingFixture(t *testing.T, o store.Options) *sharingFixture {
	t.Helper()
	f := &sharingFixture{t: t, store: storetest.Open(t, o), woken: map[string]int{}}
	f.Ledger = ledger.New(f.store, f.wake, ledger.Options{OnAccessLost: f.rights})
	for _, u := range []*models.User{&f.owner, &f.editor, &f.viewer, &f.former, &f.stranger} {
		*u = storetest.User(t, f.store)
	}
	var err error
	if f.expense, err = f.CreateExpense(t.Context(), f.owner.ID, ledger.ExpenseCreation{Draft: lunch()}); err != nil {
		t.Fatal(err)
	}
	f.share(f.editor, models.RoleEditor)
	f.share(f.viewer, models.RoleViewer)
	f.share(f.former, models.RoleEditor)
	f.unshare(f.former)
	return f
}

func (f *sharingFixture) wake(userID string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.woken[userID]++
}

func (f *sharingFixture) rights(c *models.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lost = append(f.lost, c.EntityID+" "+c.UserID)
}

func (f *sharingFixture) share(with models.User, role models.Role) []models.Share {
	f.t.Helper()
	if err := storetest.Share(f.t, f.store, f.Ledger, f.owner.ID, f.expense.ID, with, role, models.Author{}); err != nil {
		f.t.Fatalf("share: %v", err)
	}
	sharing, err := f.Shares(f.t.Context(), f.owner.ID, f.expense.ID)
	if err != nil {
		f.t.Fatalf("shares: %v", err)
	}
	return sharing.Shares
}

func (f *sharingFixture) unshare(with models.User) []models.Share {
	f.t.Helper()
	shares, err := f.Unshare(f.t.Context(), f.owner.ID, f.expense.ID, with.ID, models.Author{})
	if err != nil {
		f.t.Fatalf("unshare: %v", err)
	}
	return shares
}

// list returns the user's expenses by all ways in which they are read, which agree.
func (f *sharingFixture) list(u models.User) []models.Expense {
	f.t.Helper()
	ctx := f.t.Context()
	list := []models.Expense{}
	add := func(e models.Expense) error { list = append(list, e); return nil }
	if err := f.store.EachExpense(ctx, u.ID, add); err != nil {
		f.t.Fatal(err)
	}
	page, total, err := f.store.Expenses(ctx, u.ID, 1, 100)
	if diff := cmp.Diff(list, page); err != nil || diff != "" || int(total) != len(list) {
		f.t.Errorf("%v, page of %d (-list +page):\n%s", err, total, diff)
	}
	var snapshot []models.Expense
	seq, err := f.store.Snapshot(ctx, u.ID, func(_ int64, e models.Expense) error { snapshot = append(snapshot, e); return nil })
	if diff := cmp.Diff(list, append([]models.Expense{}, snapshot...)); err != nil || diff != "" {
		f.t.Errorf("%v, snapshot at %d (-list +snapshot):\n%s", err, seq, diff)
	}
	for _, e := range list {
		one, err := f.store.ExpenseOf(ctx, u.ID, e.ID)
		if diff := cmp.Diff(e, one); err != nil || diff != "" {
			f.t.Errorf("%v, one (-list +one):\n%s", err, diff)
		}
	}
	return list
}

// log returns what the user's log says, kind by kind.
func (f *sharingFixture) log(u models.User) (kinds []string) {
	f.t.Helper()
	for _, c := range f.changes(u) {
		kinds = append(kinds, string(c.Kind))
	}
	return kinds
}

func (f *sharingFixture) changes(u models.User) []models.Change {
	f.t.Helper()
	changes, err := f.store.Changes(f.t.Context(), u.ID, 0, 1000)
	if err != nil {
		f.t.Fatal(err)
	}
	return changes
}

func TestAShareArrivesAsCreatedAndGoesAsDeleted(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		for u, want := range map[*models.User][]string{
			&f.owner: {
				"expense_created", // then each is invited, and has it; one is sent away
				"share_changed", "share_changed", "share_changed", "share_changed", "share_changed", "share_changed", "share_changed",
			},
			&f.editor:   {"expense_created"},
			&f.viewer:   {"expense_created"},
			&f.former:   {"expense_retracted", "expense_deleted"},
			&f.stranger: nil,
		} {
			if diff := cmp.Diff(want, f.log(*u)); diff != "" {
				t := f.t
				t.Errorf("log (-want +got):\n%s", diff)
			}
		}
		own := f.list(f.owner)
		if len(own) != 1 || own[0].Shares != 2 || own[0].Role != models.NoRole || own[0].Version != 1 {
			f.t.Errorf("the owner has %+v", own)
		}
		for u, role := range map[*models.User]models.Role{&f.editor: models.RoleEditor, &f.viewer: models.RoleViewer} {
			got := f.list(*u)
			want := f.expense
			want.Role, want.SharedBy, want.LastSyncedAt = role, f.owner.Name, own[0].LastSyncedAt
			if diff := cmp.Diff([]models.Expense{want}, got); diff != "" {
				f.t.Errorf("%s has (-want +got):\n%s", role, diff)
			}
		}
		if len(f.list(f.former)) != 0 || len(f.list(f.stranger)) != 0 {
			f.t.Error("somebody has what is not shared with them")
		}
		if diff := cmp.Diff([]string{f.expense.ID + " " + f.former.ID}, f.lost); diff != "" {
			f.t.Errorf("lost rights (-want +got):\n%s", diff)
		}
		for _, c := range f.changes(f.former) {
			if c.Expense.Description != "" || c.Expense.UserID != "" {
				f.t.Errorf("the former member's log has %+v", c)
			}
		}
	})
}

// An editor's change is one version, in the log of each.
func TestAnEditorsChangeReachesAllWhoHaveIt(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		before := map[string]int{}
		for _, u := range []models.User{f.owner, f.editor, f.viewer, f.former, f.stranger} {
			before[u.ID] = len(f.changes(u))
		}
		by := models.Author{DeviceID: "phone"}
		e, err := f.UpdateExpense(f.t.Context(), f.editor.ID, f.expense.ID, ptr(int64(1)),
			models.Patch{Amount: ptr(models.Money(20_000_000))}, by)
		if err != nil || e.Version != 2 || e.UserID != f.owner.ID || e.Role != models.RoleEditor {
			f.t.Fatalf("update: %+v, %v", e, err)
		}
		for u, role := range map[*models.User]models.Role{&f.owner: "", &f.editor: models.RoleEditor, &f.viewer: models.RoleViewer} {
			log := f.changes(*u)
			c := log[len(log)-1]
			var author models.Author // devices are told to their own account alone
			if role == models.RoleEditor {
				author = by
			}
			if len(log) != before[u.ID]+1 || c.Kind != models.ExpenseUpdated || c.Author != author || c.Expense.Version != 2 ||
				c.Expense.Role != role {
				f.t.Errorf("the log of %q ends in %+v", role, c)
			}
			if (c.Expense.Shares == 2) != (role == "") {
				f.t.Errorf("%q heard that it is shared with %d", role, c.Expense.Shares)
			}
			if got := f.list(*u)[0]; got.Amount != 20_000_000 || !got.LastSyncedAt.Equal(c.Expense.LastSyncedAt) {
				f.t.Errorf("%q has %+v", role, got)
			}
			if f.woken[u.ID] == 0 {
				f.t.Errorf("the tail of %q was not woken", role)
			}
		}
		if len(f.changes(f.former)) != before[f.former.ID] || len(f.changes(f.stranger)) != 0 {
			f.t.Error("somebody heard of what they do not have")
		}
	})
}

// An edit of any member changes the owner's totals only.
func TestBudgetsAndBalancesCountOnesOwnAlone(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx := f.t.Context()
		for _, u := range []models.User{f.owner, f.editor} {
			draft := models.BudgetDraft{
				Name: "All", Category: models.AllCategories, Amount: 15_000_000, Period: models.Monthly,
				Threshold: ptr(80),
			}
			if _, err := f.CreateBudget(ctx, u.ID, ledger.BudgetCreation{Draft: draft}); err != nil {
				f.t.Fatal(err)
			}
		}
		if _, err := f.UpdateExpense(ctx, f.editor.ID, f.expense.ID, nil, models.Patch{Amount: ptr(models.Money(16_000_000))},
			models.Author{}); err != nil {
			f.t.Fatal(err)
		}
		for u, want := range map[*models.User]string{&f.owner: "16", &f.editor: "0", &f.viewer: "0"} {
			now, err := f.store.UserByID(ctx, u.ID)
			if err != nil || now.Totals.Of(f.expense.Currency).Expense.String() != want {
				f.t.Errorf("spent %v, %v, want %s", now.Totals, err, want)
			}
			alerted := slices.Contains(f.log(*u), string(models.BudgetAlerted))
			if alerted != (u.ID == f.owner.ID) {
				f.t.Errorf("alerted %v, spent %s", alerted, want)
			}
		}
	})
}

func TestRolesDecideWhoMayDoWhat(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, id, by := f.t.Context(), f.expense.ID, models.Author{}
		kinds := map[string]models.Kind{"": 255, "F": models.Forbidden, "I": models.Invalid, "N": models.NotFound}
		tests := []struct {
			name string
			do   func(u models.User) error
			want string // owner editor viewer former stranger: . done, F forbidden, I invalid, N not found
		}{
			{"share", func(u models.User) error {
				return f.Share(ctx, u.ID, id, f.viewer.Email, models.RoleViewer, by)
			}, ".FFNN"},
			{"share with nobody", func(u models.User) error {
				return f.Share(ctx, u.ID, id, "nobody@example.org", models.RoleViewer, by)
			}, ".FFNN"},
			{"withdraw an invitation", func(u models.User) error {
				return f.WithdrawInvitation(ctx, u.ID, id, "nobody@example.org", by)
			}, ".FFNN"},
			{"share with oneself", func(u models.User) error {
				return f.Share(ctx, u.ID, id, u.Email, models.RoleViewer, by)
			}, "IFFNN"},
			{"send a member away", func(u models.User) error {
				if u.ID == f.owner.ID {
					return nil // see below
				}
				_, err := f.Unshare(ctx, u.ID, id, f.owner.ID, by)
				return err
			}, ".FFNN"},
			{"update", func(u models.User) error {
				_, err := f.UpdateExpense(ctx, u.ID, id, nil, models.Patch{Notes: ptr("x")}, by)
				return err
			}, "..FNN"},
			{"read who has it", func(u models.User) error { _, err := f.Shares(ctx, u.ID, id); return err }, "...NN"},
			{"comment", func(u models.User) error { _, err := f.Comment(ctx, u.ID, id, "hello"); return err }, "...NN"},
			{"read comments", func(u models.User) error { _, _, err := f.Activities(ctx, u.ID, id, 1, 10); return err }, "...NN"},
			{"right", func(u models.User) error { _, err := f.RightTo(ctx, u.ID, id); return err }, "...NN"},
			{"delete", func(u models.User) error {
				if u.ID == f.owner.ID {
					return nil // see below
				}
				_, err := f.DeleteExpense(ctx, u.ID, id, by)
				return err
			}, ".FFNN"},
		}
		for _, tt := range tests {
			for i, u := range []models.User{f.owner, f.editor, f.viewer, f.former, f.stranger} {
				want, err := strings.Trim(tt.want[i:i+1], "."), tt.do(u)
				if (want == "") != (err == nil) || (err != nil && models.KindOf(err) != kinds[want]) {
					f.t.Errorf("%s, person %d: %v, want %q", tt.name, i, err, want)
				}
			}
		}
		if shares := f.unshare(f.viewer); len(shares) != 1 || shares[0].UserID != f.editor.ID || shares[0].Email != f.editor.Email {
			f.t.Errorf("shared with %+v", shares)
		}
		if _, err := f.DeleteExpense(ctx, f.owner.ID, id, by); err != nil {
			f.t.Errorf("the owner deletes: %v", err)
		}
	})
}

// The result does not depend on whether an address has an account.
func TestRefusalsOfASharePutTheSameWords(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		said := map[string]bool{}
		for _, try := range []struct {
			by    models.User
			id    string
			email string
		}{
			{f.stranger, f.expense.ID, f.viewer.Email},
			{f.stranger, f.expense.ID, "nobody@example.org"},
			{f.stranger, f.expense.ID, f.stranger.Email},
			{f.former, f.expense.ID, f.viewer.Email},
			{f.owner, storetest.ID(), f.viewer.Email},
			{f.owner, "no id", f.viewer.Email},
		} {
			err := f.Share(ctx, try.by.ID, try.id, try.email, models.RoleViewer, by)
			said[err.Error()] = true
		}
		if len(said) != 1 {
			f.t.Errorf("answers differ: %v", said)
		}
	})
}

func TestARoleCanBeChangedAndAShareRepeated(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		head := len(f.changes(f.owner))
		f.share(f.editor, models.RoleEditor)
		if len(f.changes(f.owner)) != head {
			f.t.Error("to give the same role again was told")
		}
		f.share(f.editor, models.RoleViewer)
		if log := f.changes(f.editor); log[len(log)-1].Kind != models.ExpenseUpdated || f.list(f.editor)[0].Role != models.RoleViewer {
			f.t.Errorf("the editor that became a viewer heard %+v", log[len(log)-1])
		}
		f.share(f.former, models.RoleViewer) // once more
		if got := f.log(f.former); !slices.Equal(got, []string{"expense_created", "expense_deleted", "expense_created"}) ||
			len(f.list(f.former)) != 1 {
			f.t.Errorf("who got it again heard %v", got)
		}
		if log := f.changes(f.owner); len(log[len(log)-1].Shares) != 3 || f.list(f.owner)[0].Shares != 3 {
			f.t.Errorf("the owner heard %+v", log[len(log)-1])
		}
	})
}

func TestAMemberMayLeave(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		shares, err := f.Unshare(f.t.Context(), f.viewer.ID, f.expense.ID, f.viewer.ID, models.Author{})
		if err != nil || len(shares) != 0 || len(f.list(f.viewer)) != 0 {
			f.t.Errorf("left: %v, %v", shares, err)
		}
		if got := f.list(f.owner)[0]; got.Shares != 1 {
			f.t.Errorf("the owner shares with %d", got.Shares)
		}
		if _, err := f.Unshare(f.t.Context(), f.viewer.ID, f.expense.ID, f.viewer.ID,
			models.Author{}); models.KindOf(err) != models.NotFound {
			f.t.Errorf("left twice: %v", err)
		}
	})
}

func TestADeletedExpenseTakesItsSharesAndCommentsAlong(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx := f.t.Context()
		if _, err := f.Comment(ctx, f.viewer.ID, f.expense.ID, "<b>mine?</b>"); err != nil {
			f.t.Fatal(err)
		}
		f.lost = nil
		if _, err := f.DeleteExpense(ctx, f.owner.ID, f.expense.ID, models.Author{}); err != nil {
			f.t.Fatal(err)
		}
		for _, u := range []models.User{f.owner, f.editor, f.viewer} {
			log := f.changes(u)
			last := log[len(log)-1]
			if last.Kind != models.ExpenseDeleted || last.EntityID != f.expense.ID || len(f.list(u)) != 0 {
				f.t.Errorf("heard %+v", last)
			}
			if u.ID != f.owner.ID && last.Expense.Description != "" {
				f.t.Errorf("a member's log keeps %+v", last.Expense)
			}
		}
		if len(f.lost) != 3 {
			f.t.Errorf("lost: %v", f.lost)
		}
		if err := f.Share(ctx, f.owner.ID, f.expense.ID, f.viewer.Email, models.RoleViewer,
			models.Author{}); models.KindOf(err) != models.NotFound {
			f.t.Errorf("a deleted expense was shared: %v", err)
		}
		if as, n, err := f.store.Activities(ctx, f.expense.ID, 1, 10); err != nil || n != 0 || len(as) != 0 {
			f.t.Errorf("comments are left: %v, %v", as, err)
		}
	})
}

func TestCommentsAreKeptAsTheyWereWritten(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx := f.t.Context()
		long := strings.Repeat("é", models.MaxComment/2)
		for _, text := range []string{"<script>alert(1)</script> & \"so\"", long} {
			if a, err := f.Comment(ctx, f.viewer.ID, f.expense.ID, text); err != nil || a.Text != text || a.UserName != f.viewer.Name {
				f.t.Errorf("comment: %+v, %v", a, err)
			}
		}
		for _, text := range []string{"", " \n", long + "x", "a\x00b"} {
			if _, err := f.Comment(ctx, f.viewer.ID, f.expense.ID, text); models.KindOf(err) != models.Invalid {
				f.t.Errorf("%.10q was taken: %v", text, err)
			}
		}
		as, total, err := f.Activities(ctx, f.owner.ID, f.expense.ID, 1, 1)
		if err != nil || total != 2 || len(as) != 1 || as[0].Text != long {
			f.t.Errorf("%d comments, %v, %v", total, len(as), err)
		}
		if as, _, err = f.Activities(ctx, f.owner.ID, f.expense.ID, 2, 1); err != nil || len(as) != 1 || as[0].Text[0] != '<' {
			f.t.Errorf("second page: %+v, %v", as, err)
		}
	})
}

func TestAnExpenseIsSharedWithSoManyOnly(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		for range models.MaxShares - 2 {
			f.share(storetest.User(f.t, f.store), models.RoleViewer)
		}
		err := f.Share(f.t.Context(), f.owner.ID, f.expense.ID, f.stranger.Email, models.RoleViewer, models.Author{})
		if models.KindOf(err) != models.Invalid || !strings.Contains(err.Error(), "at most 50") {
			f.t.Errorf("one more: %v", err)
		}
		f.share(f.editor, models.RoleViewer) // no more, only another role
	})
}

// Removing a user removes the expenses that they shared.
func TestAUserWhoIsRemovedSharesNothingAnyMore(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx := f.t.Context()
		if err := f.store.DeleteUser(ctx, f.editor.ID); err != nil {
			f.t.Fatal(err)
		}
		if got := f.list(f.owner); len(got) != 1 || got[0].Shares != 1 {
			f.t.Errorf("the owner has %+v", got)
		}
		if err := f.store.DeleteUser(ctx, f.owner.ID); err != nil {
			f.t.Fatal(err)
		}
		log := f.changes(f.viewer)
		if len(f.list(f.viewer)) != 0 || log[len(log)-1].Kind != models.ExpenseDeleted {
			f.t.Errorf("the viewer heard %+v", log[len(log)-1])
		}
	})
}

// LastSyncedAt grows in everybody's view, so a cursor misses nothing.
func TestAPullGetsWhatIsSharedLater(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx := f.t.Context()
		if _, err := f.CreateExpense(ctx, f.stranger.ID, ledger.ExpenseCreation{Draft: lunch()}); err != nil {
			f.t.Fatal(err)
		}
		since, err := f.store.LastSynced(ctx, f.stranger.ID)
		if err != nil {
			f.t.Fatal(err)
		}
		f.share(f.stranger, models.RoleViewer)
		var got []string
		err = f.store.ExpensesSyncedAfter(ctx, f.stranger.ID, since,
			func(e models.Expense) error { got = append(got, e.ID); return nil })
		if err != nil || !slices.Equal(got, []string{f.expense.ID}) {
			f.t.Errorf("pulled %v, %v", got, err)
		}
		for _, u := range []models.User{f.owner, f.editor, f.viewer, f.stranger} {
			next, err := f.store.LastSynced(ctx, u.ID)
			if e := f.list(u)[0]; err != nil || next.Before(e.LastSyncedAt) {
				f.t.Errorf("the cursor %v is before %v, %v", next, e.LastSyncedAt, err)
			}
		}
	})
}
