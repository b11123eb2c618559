package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// unread is the user's unread count, which must agree with the list.
func (p *budgetFixture) unread() int {
	p.t.Helper()
	u, err := p.store.UserByID(p.t.Context(), p.user.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	listed, total, err := p.store.Notifications(p.t.Context(), p.user.ID, 1, 100, true)
	if err != nil || total != u.Unread || int64(len(listed)) != u.Unread {
		p.t.Errorf("%d unread, %d of %d listed, %v", u.Unread, len(listed), total, err)
	}
	return int(u.Unread)
}

func TestNotificationsAreReadAndDeleted(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{NotifyExpenses: true}, func(p *budgetFixture) {
		ctx := p.t.Context()
		for i := range 3 {
			p.now = noon.AddDate(0, 0, i)
			p.spend("1", noon)
		}
		ns, total, err := p.store.Notifications(ctx, p.user.ID, 1, 2, false)
		if err != nil || total != 3 || len(ns) != 2 || !ns[0].CreatedAt.After(ns[1].CreatedAt) || p.unread() != 3 {
			t.Fatalf("page 1 is %v of %d, %v", ns, total, err)
		}
		read, err := p.MarkRead(ctx, p.user.ID, ns[0].ID)
		ns[0].Read = true
		if diff := cmp.Diff(ns[0], read); err != nil || diff != "" || p.unread() != 2 {
			t.Errorf("%v, read (-want +got):\n%s", err, diff)
		}
		before := len(p.log())
		if _, err := p.MarkRead(ctx, p.user.ID, ns[0].ID); err != nil || len(p.log()) != before {
			t.Errorf("read again: %v, %d changes", err, len(p.log())-before)
		}
		if err := p.DeleteNotification(ctx, p.user.ID, ns[0].ID); err != nil || p.unread() != 2 {
			t.Errorf("delete what was read: %v", err)
		}
		if err := p.DeleteNotification(ctx, p.user.ID, ns[1].ID); err != nil || p.unread() != 1 {
			t.Errorf("delete what was not: %v", err)
		}
		if n, err := p.MarkAllRead(ctx, p.user.ID); n != 1 || err != nil || p.unread() != 0 {
			t.Errorf("the rest: %d, %v", n, err)
		}
		before = len(p.log())
		if n, err := p.MarkAllRead(ctx, p.user.ID); n != 0 || err != nil || len(p.log()) != before {
			t.Errorf("nothing to read: %d, %v, %d changes", n, err, len(p.log())-before)
		}
		for _, c := range p.log()[6:] {
			if c.Kind != models.NotificationRead && c.Kind != models.NotificationDeleted || c.Notification != nil {
				t.Errorf("change %+v", c)
			}
		}
	})
}

func TestAnothersNotificationIsNone(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{NotifyExpenses: true}, func(p *budgetFixture) {
		ctx, other := p.t.Context(), storetest.User(p.t, p.store).ID
		p.spend("1", noon)
		ns, _, err := p.store.Notifications(ctx, p.user.ID, 1, 1, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{ns[0].ID, "none", "", "x\x00"} {
			read, deleted := second(p.MarkRead(ctx, other, id)), p.DeleteNotification(ctx, other, id)
			if models.KindOf(read) != models.NotFound || models.KindOf(deleted) != models.NotFound {
				t.Errorf("%q: %v, %v", id, read, deleted)
			}
		}
		if head, err := p.store.Head(ctx, other); head != 0 || err != nil || p.unread() != 1 {
			t.Errorf("the other's log is at %d, %v", head, err)
		}
	})
}

// notifications returns those in the log, as type, priority, title, message and data.
func (p *budgetFixture) notifications() (notes []string) {
	for _, c := range p.log() {
		if n := c.Notification; n != nil {
			notes = append(notes, fmt.Sprintf("%s %s %s: %s %s", n.Type, n.Priority, n.Title, n.Message, n.Data))
		}
	}
	return notes
}

func (p *budgetFixture) wantNotifications(want ...string) {
	p.t.Helper()
	if diff := cmp.Diff(want, p.notifications(), cmpopts.EquateEmpty()); diff != "" {
		p.t.Errorf("notifications (-want +got):\n%s", diff)
	}
}

func TestALowBalanceIsToldOnceEachTime(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{LowBalance: ptr(models.Money(10_000_000))}, func(p *budgetFixture) {
		p.spend("1", noon)
		p.wantNotifications() // it always was below
		salary := p.spend("16", noon)
		p.edit(salary, models.Patch{Type: ptr("income")})
		p.spend("5", noon)
		p.wantNotifications() // 10 is not below 10
		p.spend("0.01", noon)
		want := `low_balance high Low balance: Your balance is 9.99, which is less than 10. {"balance":9.99,"threshold":10,"currency":"INR"}`
		p.wantNotifications(want)
		p.spend("5", noon)
		p.wantNotifications(want)
		p.edit(salary, models.Patch{Amount: ptr(models.Money(100_000_000))})
		p.edit(salary, models.Patch{Amount: ptr(models.Money(1_000_000))})
		p.wantNotifications(want, `low_balance high Low balance: Your balance is -10.01, which is less than 10. {"balance":-10.01,"threshold":10,"currency":"INR"}`)
	})
}

func TestChangesOfTheBalanceAreToldWhereWanted(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{NotifyBalance: true, LowBalance: ptr(models.Money(-20_000_000))}, func(p *budgetFixture) {
		lunch := p.spend("5", noon)
		want := []string{`balance_changed low Balance changed: Your balance is -5. {"balance":-5,"delta":-5}`}
		p.wantNotifications(want...)
		p.edit(lunch, models.Patch{Description: ptr("dinner")}) // moves nothing
		p.wantNotifications(want...)
		p.edit(lunch, models.Patch{Amount: ptr(models.Money(7_500_000))})
		want = append(want, `balance_changed low Balance changed: Your balance is -7.5. {"balance":-7.5,"delta":-2.5}`)
		p.wantNotifications(want...)
		p.spend("20", noon) // one notification is enough
		p.wantNotifications(append(want, `low_balance high Low balance: Your balance is -27.5, which is less than -20. {"balance":-27.5,"threshold":-20,"currency":"INR"}`)...)
	})
}

func TestChangesOfExpensesAreToldWhereWanted(t *testing.T) {
	eachBudgetFixture(t, ledger.Options{NotifyExpenses: true}, func(p *budgetFixture) {
		by := models.Author{DeviceID: "device_1"}
		e := p.create(ledger.ExpenseCreation{Draft: lunch(), Author: by})
		p.edit(e, models.Patch{Amount: ptr(models.Money(2_500_000))})
		if _, err := p.DeleteExpense(p.t.Context(), p.user.ID, e.ID, by); err != nil {
			t.Fatal(err)
		}
		err := p.Write(p.t.Context(), p.user.ID, func(w *ledger.Work) error {
			for range 3 {
				if _, err := w.Create(lunch(), by); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		id := `{"expenseId":"` + e.ID + `","action":`
		p.wantNotifications(
			`expense_added low Expense added: Lunch: 12.5 `+id+`"created","deviceId":"device_1"}`,
			`expense_added low Expense updated: Lunch: 2.5 `+id+`"updated"}`,
			`expense_added low Expense deleted: Lunch: 2.5 `+id+`"deleted","deviceId":"device_1"}`,
			`expense_added low Expenses synchronized: 3 changes arrived from another device. {"action":"batch","count":3,"deviceId":"device_1"}`,
		)
		log := p.log()
		if last := log[len(log)-1]; last.Author != by {
			t.Errorf("the notification is by %+v", last.Author)
		}
	})
}
