package ledger_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A peopleFixture is a ledger that notifies users of what others do. Ann owns what she shares
// with Bob, who edits, and Cleo, who views.
type peopleFixture struct {
	*ledger.Ledger
	t              *testing.T
	store          *store.Store
	ann, bob, cleo models.User
}

func eachPeopleFixture(t *testing.T, test func(f *peopleFixture)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		s := storetest.Open(t, options(t))
		test(&peopleFixture{
			Ledger: ledger.New(s, nil, ledger.Options{NotifyPeople: true}), t: t, store: s,
			ann: storetest.User(t, s), bob: storetest.User(t, s), cleo: storetest.User(t, s),
		})
	})
}

// make stores an expense of Ann's, without sharing it.
func (f *peopleFixture) make() models.Expense {
	f.t.Helper()
	e, err := f.CreateExpense(f.t.Context(), f.ann.ID, ledger.ExpenseCreation{Draft: lunch()})
	f.must(err)
	return e
}

// shared stores an expense of Ann's that Bob and Cleo have, and clears what they were told of it.
func (f *peopleFixture) shared() models.Expense {
	f.t.Helper()
	e := f.make()
	f.share(e, f.bob, models.RoleEditor)
	f.share(e, f.cleo, models.RoleViewer)
	for _, u := range []models.User{f.bob, f.cleo} {
		_, err := f.MarkAllRead(f.t.Context(), u.ID)
		f.must(err)
	}
	return e
}

func (f *peopleFixture) share(e models.Expense, with models.User, role models.Role) {
	f.t.Helper()
	f.must(storetest.Share(f.t, f.store, f.Ledger, f.ann.ID, e.ID, with, role, models.Author{}))
}

func (f *peopleFixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *peopleFixture) edit(by models.User, e models.Expense, description string) {
	f.t.Helper()
	_, err := f.UpdateExpense(f.t.Context(), by.ID, e.ID, nil, models.Patch{Description: &description}, models.Author{DeviceID: "d"})
	f.must(err)
}

// unread returns the user's unread notifications, newest first, whose number agrees with the
// user's count.
func (f *peopleFixture) unread(u models.User) []models.Notification {
	f.t.Helper()
	all, total, err := f.store.Notifications(f.t.Context(), u.ID, 1, 100, true)
	f.must(err)
	now, err := f.store.UserByID(f.t.Context(), u.ID)
	f.must(err)
	if now.Unread != total || int64(len(all)) != total {
		f.t.Errorf("%d unread, %d listed of %d", now.Unread, len(all), total)
	}
	return all
}

// told returns type and message of the user's unread notifications.
func (f *peopleFixture) told(u models.User) (told []string) {
	f.t.Helper()
	for _, n := range f.unread(u) {
		told = append(told, n.Type+": "+n.Message)
	}
	return told
}

func (f *peopleFixture) wantTold(who string, u models.User, want ...string) {
	f.t.Helper()
	if diff := cmp.Diff(want, f.told(u)); diff != "" {
		f.t.Errorf("%s was told (-want +got):\n%s", who, diff)
	}
}

// live returns how many notifications the user's log has sent to their devices.
func (f *peopleFixture) live(u models.User) (n int) {
	f.t.Helper()
	all, err := f.store.Changes(f.t.Context(), u.ID, 0, 10_000)
	f.must(err)
	for _, c := range all {
		if c.Kind == models.NotificationCreated {
			n++
		}
	}
	return n
}

func TestOthersAreNotifiedOfAnEditOnce(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e := f.shared()
		f.edit(f.bob, e, "Brunch")
		f.wantTold("the owner", f.ann, "expense_edited: Alice changed an entry that you share.")
		f.wantTold("the viewer", f.cleo, "expense_edited: Alice changed an entry that you share.")
		f.wantTold("the editor", f.bob)
		n := f.unread(f.ann)[0]
		want := fmt.Sprintf(`{"userId":%q,"userName":"Alice","expenseId":%q,"count":1}`, f.bob.ID, e.ID)
		if string(n.Data) != want || n.Title != "Entry changed" {
			f.t.Errorf("%q with %s, want %s", n.Title, n.Data, want)
		}
		f.edit(f.ann, e, "Supper")
		f.wantTold("the owner of her own edit", f.ann, "expense_edited: Alice changed an entry that you share.")
		if got := len(f.told(f.cleo)); got != 2 { // of two people
			f.t.Errorf("the viewer has %d", got)
		}
	})
}

// An edit for each keystroke of another made as many notifications.
// The name of a deleted account stayed in the notifications of others.
func TestNotificationsForgetWhoHasLeft(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e := f.shared()
		for _, notes := range []string{"a", "b"} {
			_, err := f.UpdateExpense(f.t.Context(), f.bob.ID, e.ID, nil, models.Patch{Notes: &notes}, models.Author{})
			f.must(err)
		}
		f.must(f.store.DeleteUser(f.t.Context(), f.bob.ID))
		for _, u := range []models.User{f.ann, f.cleo} {
			all, _, err := f.store.Notifications(f.t.Context(), u.ID, 1, 10, true)
			f.must(err)
			if len(all) != 1 || all[0].ActorID != "" || all[0].Message != "Somebody who has left changed an entry that you share." {
				f.t.Fatalf("%s reads %+v", u.Name, all)
			}
			want := fmt.Sprintf(`{"userId":"","userName":"Somebody who has left","expenseId":"%s","count":2}`, e.ID)
			if got := string(all[0].Data); got != want {
				f.t.Errorf("data %s, want %s", got, want)
			}
		}
	})
}

func TestAStormOfEditsMakesFewNotifications(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e := f.shared()
		for i := range 40 {
			f.edit(f.bob, e, fmt.Sprint("Brunch ", i))
		}
		f.wantTold("the owner", f.ann, "expense_edited: Alice changed an entry that you share 40 times.")
		if got := f.live(f.ann); got != 1 {
			f.t.Errorf("her devices heard of %d", got)
		}
		_, err := f.MarkRead(f.t.Context(), f.ann.ID, f.unread(f.ann)[0].ID)
		f.must(err)
		f.edit(f.bob, e, "Supper")
		f.wantTold("the owner, who has read it", f.ann, "expense_edited: Alice changed an entry that you share.")
	})
}

// Of many entries ten are told apart, whether they come one by one or in one transaction.
func TestEditsOfManyEntriesMakeElevenNotifications(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		var all []models.Expense
		for range 25 {
			all = append(all, f.shared())
		}
		f.must(f.Write(f.t.Context(), f.bob.ID, func(w *ledger.Work) error {
			for _, e := range all {
				for _, text := range []string{"Brunch", "Supper"} {
					if _, err := w.Update(e.ID, nil, models.Patch{Description: &text}, models.Author{}); err != nil {
						return err
					}
				}
			}
			return nil
		}))
		told := f.told(f.ann)
		slices.Sort(told)
		if len(told) != 11 || told[0] != "expense_edited: Alice changed an entry that you share 2 times." ||
			told[10] != "expense_edited: Alice changed more entries that you share." {
			f.t.Errorf("the owner was told %q", told)
		}
		for _, e := range all {
			f.edit(f.bob, e, "Late")
		}
		if again := f.told(f.ann); len(again) != 11 || f.live(f.ann) != 11 {
			f.t.Errorf("then %d, of which %d were sent", len(again), f.live(f.ann))
		}
	})
}

// A batch of an operation that was undone told of it.
func TestAnEditThatIsUndoneIsNotToldOf(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e, text := f.shared(), "Brunch"
		f.must(f.Write(f.t.Context(), f.bob.ID, func(w *ledger.Work) error {
			_ = w.Tx.Attempt(func() error {
				_, _ = w.Update(e.ID, nil, models.Patch{Description: &text}, models.Author{})
				return models.E(models.Invalid, "undone")
			})
			return nil
		}))
		f.wantTold("the owner", f.ann)
	})
}

func TestOthersAreNotifiedOfComments(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e := f.shared()
		say := func(by models.User) {
			_, err := f.Comment(f.t.Context(), by.ID, e.ID, "With cleaning?")
			f.must(err)
		}
		say(f.cleo)
		f.wantTold("the owner", f.ann, "expense_commented: Alice commented on an entry that you share.")
		say(f.cleo)
		f.wantTold("the owner", f.ann, "expense_commented: Alice wrote 2 comments on an entry that you share.")
		f.wantTold("the other", f.bob, "expense_commented: Alice wrote 2 comments on an entry that you share.")
		f.wantTold("the author", f.cleo)
		_, err := f.Unshare(f.t.Context(), f.ann.ID, e.ID, f.bob.ID, models.Author{})
		f.must(err)
		say(f.ann)
		if got := len(f.told(f.bob)); got != 1 {
			f.t.Errorf("who lost the right has %d", got)
		}
		for _, n := range f.unread(f.bob) {
			if strings.Contains(n.Message+string(n.Data), "Lunch") || strings.Contains(n.Message, "cleaning") {
				f.t.Errorf("who lost the right reads %q %s", n.Message, n.Data)
			}
		}
	})
}

func TestBeingInvitedAndSharedWithIsANotification(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		ctx := f.t.Context()
		invite := func(e models.Expense) string {
			f.must(f.Share(ctx, f.ann.ID, e.ID, f.bob.Email, models.RoleViewer, models.Author{}))
			_, err := f.DeliverInvitations(ctx)
			f.must(err)
			all, err := f.Invitations(ctx, f.bob.ID)
			f.must(err)
			if len(all) == 0 {
				return ""
			}
			return all[0].ID
		}
		first, e := f.make(), f.make()
		id := invite(first)
		f.wantTold("the invited", f.bob, "invitation_received: Alice wants to share an entry with you.")
		invite(first)
		if got := len(f.told(f.bob)); got != 1 {
			f.t.Errorf("invited again to the same: %d", got)
		}
		_, err := f.AcceptInvitation(ctx, f.bob.ID, id, models.Author{})
		f.must(err)
		f.wantTold("who has answered", f.bob)
		invite(e) // a share now
		f.wantTold("who accepts her", f.bob, "expense_shared: Alice shared an entry with you.")
		f.wantTold("the owner", f.ann)
	})
}

func TestAnInvitationThatIsDeclinedWithdrawnOrBlockedIsNotUnread(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		ctx := f.t.Context()
		deliver := func(err error) {
			f.must(err)
			_, err = f.DeliverInvitations(ctx)
			f.must(err)
		}
		e := f.make()
		for name, end := range map[string]func(id string) error{
			"declined":  func(id string) error { return f.DeclineInvitation(ctx, f.bob.ID, id, models.Author{}) },
			"withdrawn": func(string) error { return f.WithdrawInvitation(ctx, f.ann.ID, e.ID, f.bob.Email, models.Author{}) },
			"blocked": func(string) error {
				_, err := f.Block(ctx, f.bob.ID, f.ann.ID, models.Author{})
				return err
			},
		} {
			e = f.make()
			deliver(f.Share(ctx, f.ann.ID, e.ID, f.bob.Email, models.RoleViewer, models.Author{}))
			all, err := f.Invitations(ctx, f.bob.ID)
			f.must(err)
			if len(all) != 1 || len(f.unread(f.bob)) != 1 {
				f.t.Fatalf("%d invitations and %d notifications", len(all), len(f.unread(f.bob)))
			}
			deliver(end(all[0].ID))
			f.wantTold("whose invitation is "+name, f.bob)
			if name == "blocked" {
				_, err := f.Unblock(ctx, f.bob.ID, f.ann.ID, models.Author{})
				f.must(err)
			}
		}
	})
}

// The notification that counts several invitations stayed unread when all were answered, and
// those of a removed account stayed too.
func TestNoInvitationIsUnreadWhenNoneWaits(t *testing.T) {
	for name, end := range map[string]func(f *peopleFixture, ids []string) error{
		"declined": func(f *peopleFixture, ids []string) error {
			var err error
			for _, id := range ids {
				if len(f.unread(f.bob)) == 0 {
					t.Errorf("nothing is unread while %s waits", id)
				}
				err = errors.Join(err, f.DeclineInvitation(f.t.Context(), f.bob.ID, id, models.Author{}))
			}
			return err
		},
		"removed with their account": func(f *peopleFixture, _ []string) error {
			return errors.Join(f.RemoveAccount(f.t.Context(), f.ann.ID), f.deliver())
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachPeopleFixture(t, func(f *peopleFixture) {
				for range 12 {
					f.must(f.Share(f.t.Context(), f.ann.ID, f.make().ID, f.bob.Email, models.RoleViewer, models.Author{}))
				}
				f.must(f.deliver())
				all, err := f.Invitations(f.t.Context(), f.bob.ID)
				f.must(err)
				var ids []string
				for _, i := range all {
					ids = append(ids, i.ID)
				}
				f.must(end(f, ids))
				f.wantTold("the invited", f.bob)
			})
		})
	}
}

func TestAnInvitationThatMadeRoomForAnotherIsNotUnread(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		f.LimitReceived(2)
		invite := func(e models.Expense, by models.User) {
			f.must(f.Share(f.t.Context(), by.ID, e.ID, f.bob.Email, models.RoleViewer, models.Author{}))
			f.must(f.deliver())
		}
		first := f.make()
		invite(first, f.ann)
		invite(f.make(), f.ann)
		e, err := f.CreateExpense(f.t.Context(), f.cleo.ID, ledger.ExpenseCreation{Draft: lunch()})
		f.must(err)
		invite(e, f.cleo)
		unread := f.unread(f.bob)
		if len(unread) != 2 || unread[0].ExpenseID == first.ID || unread[1].ExpenseID == first.ID {
			f.t.Errorf("unread: %+v", unread)
		}
	})
}

func (f *peopleFixture) deliver() error {
	f.t.Helper()
	_, err := f.DeliverInvitations(f.t.Context())
	return err
}

// Preferences hold such notifications back, and keep them in the list.
func TestPreferencesHoldBackWhatOthersDo(t *testing.T) {
	eachPeopleFixture(t, func(f *peopleFixture) {
		e := f.shared()
		_, err := f.SetPreferences(f.t.Context(), f.ann.ID, func(p *models.NotificationPreferences) { p.Push.Types = []string{} })
		f.must(err)
		f.edit(f.bob, e, "Brunch")
		if f.live(f.ann) != 0 || len(f.unread(f.ann)) != 1 {
			f.t.Errorf("%d sent, %d kept", f.live(f.ann), len(f.unread(f.ann)))
		}
	})
}
