package ledger

import (
	"fmt"
	"slices"

	"expenseflow/models"
)

// maxSeparate is how many unread notifications of one type, each of another expense, a user
// can cause to another one. What follows is counted in one more, of no expense.
const maxSeparate = 10

// notifyOf notifies the user that another one, the actor, did something with expenses, which
// may be named more than once. A notification of the same by the same user that is not read
// yet counts it instead, silently: so whatever others do makes few notifications. None names
// an expense in words, because the user may have lost the right to it when it is read.
func (w *Work) notifyOf(kind string, actor models.User, expenses ...string) error {
	all, err := w.Tx.UnreadFrom(actor.ID, kind, maxSeparate+1)
	if err != nil {
		return fmt.Errorf("notify of another user: %w", err)
	}
	stored, touched := len(all), map[int]bool{}
	for _, id := range expenses {
		i := indexOfExpense(all, id)
		if i < 0 && len(all) >= maxSeparate {
			id = ""
			i = indexOfExpense(all, id)
		}
		if i < 0 {
			i = len(all)
			all = append(all, models.Notification{Type: kind, ActorID: actor.ID, ExpenseID: id, Priority: models.PriorityMedium})
		}
		all[i].Times++
		touched[i] = true
	}
	for i, n := range all {
		if !touched[i] {
			continue
		}
		describeDeed(&n, &actor)
		if i < stored {
			w.countAgain(n)
		} else {
			w.notify(n, models.Author{})
		}
	}
	return nil
}

func indexOfExpense(all []models.Notification, expenseID string) int {
	return slices.IndexFunc(all, func(n models.Notification) bool { return n.ExpenseID == expenseID })
}

// countAgain stores what a notification has counted. Only a silent change tells of it.
func (w *Work) countAgain(n models.Notification) {
	n.CreatedAt = w.Tx.Now()
	w.Tx.UpdateNotification(n)
	w.Tx.Append(models.Change{Kind: models.NotificationMuted, EntityID: n.ID})
}

// describeDeed gives a notification of what another user did its title, text and data.
func describeDeed(n *models.Notification, actor *models.User) {
	once, often, several := "", "", ""
	switch n.Type {
	case models.NotifyInvited:
		n.Title, once, several = "Invitation", "wants to share an entry with you", "wants to share more entries with you"
		often = once
	case models.NotifyShared:
		n.Title, once, several = "Shared with you", "shared an entry with you", "shared more entries with you"
		often = once
	case models.NotifyCommented:
		n.Title, once, several = "New comment", "commented on an entry that you share", "commented on more entries that you share"
		often = fmt.Sprintf("wrote %d comments on an entry that you share", n.Times)
	case models.NotifyEdited:
		n.Title, once, several = "Entry changed", "changed an entry that you share", "changed more entries that you share"
		often = fmt.Sprintf("changed an entry that you share %d times", n.Times)
	}
	did := once
	switch {
	case n.ExpenseID == "":
		did = several
	case n.Times > 1:
		did = often
	}
	n.Message = actor.Name + " " + did + "."
	n.Data = notificationData(struct {
		UserID    string `json:"userId"`
		UserName  string `json:"userName"`
		ExpenseID string `json:"expenseId,omitempty"` // absent: several expenses
		Count     int64  `json:"count"`
	}{actor.ID, actor.Name, n.ExpenseID, n.Times})
}

// notifyEdits notifies the user of the expenses that another user's transaction has changed.
func (l *Ledger) notifyEdits(w *Work) error {
	actor := w.Tx.Acting()
	if !l.opts.NotifyPeople || actor == nil || actor == w.Tx {
		return nil
	}
	var edited []string
	for _, c := range w.Tx.Appended() {
		// A change of a role leaves UpdatedAt as it is.
		if c.Kind == models.ExpenseUpdated && c.Expense.UpdatedAt.Equal(w.Tx.Now()) {
			edited = append(edited, c.EntityID)
		}
	}
	if len(edited) == 0 {
		return nil
	}
	return w.notifyOf(models.NotifyEdited, actor.User(), edited...)
}

// notifyOfComment notifies the others who have an expense, whose rows are locked.
func (w *Work) notifyOfComment(a *models.Activity) error {
	for _, id := range a.Audience {
		t := w.Tx.In(id)
		if t == nil || t == w.Tx {
			continue
		}
		if err := (&Work{Tx: t}).notifyOf(models.NotifyCommented, w.Tx.User(), a.ExpenseID); err != nil {
			return err
		}
	}
	return nil
}

// readInvitations marks the notifications of another user's invitations as read, because the
// user has answered them or they are withdrawn; those to one expense, or to all with "".
func (w *Work) readInvitations(actorID, expenseID string) error {
	all, err := w.Tx.UnreadFrom(actorID, models.NotifyInvited, maxSeparate+1)
	for _, n := range all {
		if expenseID == "" || n.ExpenseID == expenseID {
			w.Tx.MarkRead(n)
			w.Tx.Append(models.Change{Kind: models.NotificationRead, EntityID: n.ID})
		}
	}
	return err
}
