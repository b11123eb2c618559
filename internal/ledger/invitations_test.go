package ledger_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// invite offers the expense to an address and has the offer delivered.
func (f *sharingFixture) invite(email string) {
	f.t.Helper()
	if err := f.Share(f.t.Context(), f.owner.ID, f.expense.ID, email, models.RoleViewer, models.Author{}); err != nil {
		f.t.Fatalf("invite %s: %v", email, err)
	}
	f.deliver()
}

func (f *sharingFixture) deliver() {
	f.t.Helper()
	if _, err := f.DeliverInvitations(f.t.Context()); err != nil {
		f.t.Fatalf("deliver: %v", err)
	}
}

// invitations are the ids of those that wait for the user's answer.
func (f *sharingFixture) invitations(u models.User) (ids []string) {
	f.t.Helper()
	all, err := f.Invitations(f.t.Context(), u.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, i := range all {
		ids = append(ids, i.ID)
	}
	return ids
}

// asked returns the only invitation that waits for the user's answer.
func (f *sharingFixture) asked(u models.User) string {
	f.t.Helper()
	ids := f.invitations(u)
	if len(ids) != 1 {
		f.t.Fatalf("invitations %v, want one", ids)
	}
	return ids[0]
}

// invited returns the addresses that the owner's list shows as invited.
func (f *sharingFixture) invited() (emails []string) {
	f.t.Helper()
	sharing, err := f.Shares(f.t.Context(), f.owner.ID, f.expense.ID)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, i := range sharing.Invited {
		emails = append(emails, i.Email)
	}
	return emails
}

// Sharing with an address revealed whether it has an account, and added the expense to the
// list of that account without asking.
func TestAShareTellsNothingAndPutsNothingIntoAList(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		f.invite("nobody@example.org")
		owner := len(f.changes(f.owner))
		f.invite(f.stranger.Email)
		if got := len(f.changes(f.owner)); got != owner+1 {
			f.t.Errorf("the owner's log grew by %d, want 1 as for nobody", got-owner)
		}
		if got, want := f.invited(), []string{"nobody@example.org", f.stranger.Email}; !slices.Equal(got, want) {
			f.t.Errorf("invited %v, want %v", got, want)
		}
		if len(f.list(f.stranger)) != 0 {
			f.t.Error("the expense is in the list of who did not accept")
		}
		log := f.changes(f.stranger)
		if len(log) != 1 || log[0].Kind != models.InvitationReceived || log[0].Invitation.OwnerEmail != f.owner.Email ||
			log[0].Invitation.Description != "" {
			f.t.Errorf("the stranger heard %+v", log)
		}
		all, err := f.Invitations(f.t.Context(), f.stranger.ID)
		if err != nil || len(all) != 1 || all[0].Description != f.expense.Description || all[0].OwnerName != f.owner.Name ||
			all[0].Role != models.RoleViewer {
			f.t.Errorf("invitations %+v, %v", all, err)
		}
	})
}

func TestWhoAcceptedOnceGetsLaterSharesAtOnceUntilTheyBlock(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		f.invite(f.stranger.Email)
		e, err := f.AcceptInvitation(ctx, f.stranger.ID, f.asked(f.stranger), by)
		if err != nil || e.ID != f.expense.ID || e.Role != models.RoleViewer || e.SharedBy != f.owner.Name {
			f.t.Fatalf("accepted %+v, %v", e, err)
		}
		if got, want := f.log(f.stranger), []string{"invitation_received", "invitation_closed", "expense_created"}; !slices.Equal(got,
			want) {
			f.t.Errorf("heard %v, want %v", got, want)
		}
		later := func() string {
			e, err := f.CreateExpense(ctx, f.owner.ID, ledger.ExpenseCreation{Draft: lunch()})
			if err != nil {
				f.t.Fatal(err)
			}
			if err := f.Share(ctx, f.owner.ID, e.ID, f.stranger.Email, models.RoleEditor, by); err != nil {
				f.t.Fatal(err)
			}
			f.deliver()
			return e.ID
		}
		second := later()
		if got := f.list(f.stranger); len(got) != 2 || len(f.invitations(f.stranger)) != 0 {
			f.t.Errorf("after the second share: %+v", got)
		}
		if _, err := f.Block(ctx, f.stranger.ID, f.owner.ID, by); err != nil {
			f.t.Fatal(err)
		}
		later()
		if got := f.list(f.stranger); len(got) != 2 || len(f.invitations(f.stranger)) != 0 {
			f.t.Errorf("a blocked share arrived: %+v", got)
		}
		if _, err := f.RightTo(ctx, f.stranger.ID, second); err != nil {
			f.t.Errorf("what was accepted before the block is gone: %v", err)
		}
	})
}

// The owner's list shows a user who declined or blocks as one who has not answered.
func TestARefusalIsNotTold(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		second := storetest.User(f.t, f.store)
		for _, email := range []string{f.stranger.Email, second.Email, "nobody@example.org"} {
			f.invite(email)
		}
		before, head := f.invited(), f.log(f.owner)
		if err := f.DeclineInvitation(ctx, f.stranger.ID, f.asked(f.stranger), by); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.Block(ctx, second.ID, f.owner.ID, by); err != nil {
			f.t.Fatal(err)
		}
		f.invite(f.stranger.Email) // again, which asks nobody anew
		if diff := cmp.Diff(before, f.invited()); diff != "" {
			f.t.Errorf("invited (-before +after):\n%s", diff)
		}
		if got := f.log(f.owner)[len(head):]; !slices.Equal(got, []string{"share_changed"}) {
			f.t.Errorf("the owner heard %v", got)
		}
		if got := f.invitations(f.stranger); len(got) != 0 {
			f.t.Errorf("who declined was asked again: %v", got)
		}
		for _, email := range before {
			if err := f.WithdrawInvitation(ctx, f.owner.ID, f.expense.ID, email, by); err != nil {
				f.t.Errorf("withdraw from %s: %v", email, err)
			}
		}
		f.deliver()
		f.invite(f.stranger.Email)
		f.asked(f.stranger) // a new question
	})
}

func TestAWithdrawnInvitationIsNotThereAnyMore(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		f.invite(f.stranger.Email)
		id := f.asked(f.stranger)
		if err := f.WithdrawInvitation(ctx, f.owner.ID, f.expense.ID, f.stranger.Email, by); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.AcceptInvitation(ctx, f.stranger.ID, id, by); models.KindOf(err) != models.NotFound {
			f.t.Errorf("accepted before it was taken away: %v", err)
		}
		f.deliver()
		if got, want := f.log(f.stranger), []string{"invitation_received", "invitation_closed"}; !slices.Equal(got, want) ||
			len(f.invitations(f.stranger)) != 0 {
			f.t.Errorf("heard %v, want %v", got, want)
		}
		f.invite(f.stranger.Email)
		if _, err := f.DeleteExpense(ctx, f.owner.ID, f.expense.ID, by); err != nil {
			f.t.Fatal(err)
		}
		f.deliver()
		if got := f.log(f.stranger); len(got) != 4 || got[3] != "invitation_closed" {
			f.t.Errorf("after the expense was deleted: %v", got)
		}
	})
}

func TestInvitationsReachOnlyTheirRecipient(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		f.invite(f.stranger.Email)
		id := f.asked(f.stranger)
		for _, u := range []models.User{f.owner, f.editor, f.former} {
			if _, err := f.AcceptInvitation(ctx, u.ID, id, by); models.KindOf(err) != models.NotFound {
				f.t.Errorf("somebody else accepted: %v", err)
			}
			if err := f.DeclineInvitation(ctx, u.ID, id, by); models.KindOf(err) != models.NotFound {
				f.t.Errorf("somebody else declined: %v", err)
			}
		}
		nobody := storetest.User(f.t, f.store)
		for name, other := range map[string]string{
			"nobody": storetest.ID(), "no id": "x", "a user unheard of": nobody.ID,
			"themselves": f.stranger.ID,
		} {
			if _, err := f.Block(ctx, f.stranger.ID, other, by); models.KindOf(err) != models.NotFound ||
				models.Message(err) != "Person not found" {
				f.t.Errorf("blocked %s: %v", name, err)
			}
		}
	})
}

func TestBlockedPeopleAreListedAndMayBeUnblocked(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		f.invite(f.stranger.Email)
		for range 2 { // the second changes nothing
			if p, err := f.Block(ctx, f.stranger.ID, f.owner.ID, by); err != nil || p.Name != f.owner.Name {
				f.t.Fatalf("block: %+v, %v", p, err)
			}
		}
		if got, want := f.log(f.stranger), []string{"invitation_received", "invitation_closed", "person_blocked"}; !slices.Equal(got,
			want) {
			f.t.Errorf("heard %v, want %v", got, want)
		}
		if people, err := f.Blocked(ctx, f.stranger.ID); err != nil || len(people) != 1 || people[0].ID != f.owner.ID {
			f.t.Errorf("blocked %+v, %v", people, err)
		}
		if _, err := f.Unblock(ctx, f.stranger.ID, f.owner.ID, by); err != nil {
			f.t.Fatal(err)
		}
		if _, err := f.Unblock(ctx, f.stranger.ID, f.owner.ID, by); models.KindOf(err) != models.NotFound {
			f.t.Errorf("unblocked twice: %v", err)
		}
		if people, err := f.Blocked(ctx, f.stranger.ID); err != nil || len(people) != 0 {
			f.t.Errorf("still blocked: %+v, %v", people, err)
		}
	})
}

// Both limits count addresses without an account too.
func TestInvitationsAreBoundedForTheirSender(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		for _, email := range []string{f.stranger.Email, "nobody@example.org"} {
			var err error
			n := 0
			for ; err == nil && n < models.MaxInvitationsPerAddress+5; n++ {
				e, made := f.CreateExpense(ctx, f.owner.ID, ledger.ExpenseCreation{Draft: lunch()})
				if made != nil {
					f.t.Fatal(made)
				}
				err = f.Share(ctx, f.owner.ID, e.ID, email, models.RoleViewer, by)
				if n%2 == 0 && err == nil { // a withdrawn one counts too
					err = f.WithdrawInvitation(ctx, f.owner.ID, e.ID, email, by)
				}
				f.deliver()
			}
			if n != models.MaxInvitationsPerAddress+1 || models.KindOf(err) != models.Invalid {
				f.t.Errorf("%s: the %dth ended with %v", email, n, err)
			}
		}
		for i := range models.MaxShares - 2 {
			f.invite("n" + strconv.Itoa(i) + "@example.org")
		}
		err := f.Share(ctx, f.owner.ID, f.expense.ID, "onemore@example.org", models.RoleViewer, by)
		if models.KindOf(err) != models.Invalid {
			f.t.Errorf("one more for an expense: %v", err)
		}
	})
}

// Many invitations of one sender must not displace those of another.
func TestNobodyFillsTheListOfInvitationsForOthers(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		ctx, by := f.t.Context(), models.Author{}
		f.LimitReceived(4)
		offer := func(from models.User) {
			e, err := f.CreateExpense(ctx, from.ID, ledger.ExpenseCreation{Draft: lunch()})
			if err == nil {
				err = f.Share(ctx, from.ID, e.ID, f.stranger.Email, models.RoleViewer, by)
			}
			if err != nil {
				f.t.Fatal(err)
			}
			f.deliver()
		}
		for range 6 {
			offer(f.owner)
		}
		for _, u := range []models.User{f.editor, f.viewer} {
			offer(u)
		}
		offer(f.owner)
		all, err := f.Invitations(ctx, f.stranger.ID)
		count := map[string]int{}
		for _, i := range all {
			count[i.OwnerID]++
		}
		want := map[string]int{f.owner.ID: 2, f.editor.ID: 1, f.viewer.ID: 1}
		if diff := cmp.Diff(want, count); err != nil || diff != "" {
			f.t.Errorf("%v, invitations by sender (-want +got):\n%s", err, diff)
		}
	})
}

func TestAnInvitationWaitsForAnAccount(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		f.invite("\u0130later@example.org")
		u := storetest.User(f.t, f.store, "\u0130later@example.org")
		if err := f.store.WakeInvitations(f.t.Context(), u.Email); err != nil {
			f.t.Fatal(err)
		}
		f.deliver()
		f.asked(u)
	})
}

// Accepting, declining, blocking, withdrawing, deleting and removing at once: the
// lists agree with the logs, and nothing is half done.
func TestAnswersToInvitationsRace(t *testing.T) {
	eachCluster(t, func(c *cluster) {
		ctx, by := c.t.Context(), models.Author{}
		owner, rest := c.users[0], c.users[1:]
		var ids []string
		for range 4 {
			e, err := c.any().CreateExpense(ctx, owner.ID, ledger.ExpenseCreation{Draft: lunch()})
			if err != nil {
				c.t.Fatal(err)
			}
			ids = append(ids, e.ID)
		}
		for _, u := range rest {
			if err := c.store.Write(ctx, u.ID, func(tx *store.Tx) error { return tx.SetContact(owner.ID, models.NoContact) }); err != nil {
				c.t.Fatal(err)
			}
		}
		fine := func(what string, err error) {
			if err != nil && !refused(err) {
				c.t.Errorf("%s: %v", what, err)
			}
		}
		var all sync.WaitGroup
		for _, id := range ids {
			for n, u := range rest {
				all.Go(func() {
					fine("share", c.any().Share(ctx, owner.ID, id, u.Email, models.RoleEditor, by))
					_, err := c.any().DeliverInvitations(ctx)
					fine("deliver", err)
					invitations, err := c.any().Invitations(ctx, u.ID)
					fine("invitations", err)
					for _, i := range invitations {
						all.Go(func() { _, err := c.any().AcceptInvitation(ctx, u.ID, i.ID, by); fine("accept", err) })
						all.Go(func() { fine("decline", c.any().DeclineInvitation(ctx, u.ID, i.ID, by)) })
					}
					if n == 0 {
						all.Go(func() { _, err := c.any().Block(ctx, u.ID, owner.ID, by); fine("block", err) })
					}
					all.Go(func() { fine("withdraw", c.any().WithdrawInvitation(ctx, owner.ID, id, u.Email, by)) })
				})
			}
		}
		all.Go(func() { _, err := c.any().DeleteExpense(ctx, owner.ID, ids[3], by); fine("delete", err) })
		all.Go(func() { fine("remove", c.store.DeleteUser(ctx, rest[2].ID)) })
		all.Wait()
		_, err := c.any().DeliverInvitations(ctx)
		fine("deliver the rest", err)
		c.users = slices.Delete(c.users, 3, 4)
		c.checkAgreement()
	})
}

func TestInvitationsThatCannotBeDeliveredAreLoggedOnceAMinute(t *testing.T) {
	s := storetest.New(t)
	f := ledger.New(s, nil, ledger.Options{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- f.RunInvitations(ctx, slog.New(slog.NewTextHandler(&log, nil))) }()
	for range 5 {
		f.SignalDelivery()
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := strings.Count(log.String(), "not delivered yet"); n != 1 {
		t.Errorf("it was logged %d times:\n%s", n, log.String())
	}
}
