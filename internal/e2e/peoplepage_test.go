package e2e

import (
	"strings"
	"testing"
)

// Parts of the page around the people of an entry, as CSS finds them.
const (
	detailPart   = ".row .detail"
	membersPart  = ".drawer .members .description, .drawer .members .detail"
	commentsPart = ".comments .said"
	herePart     = ".drawer[open] .sheet > .hint"
	typingPart   = ".drawer[open] .typing:not(:empty)"
	devicesPart  = ".account[open] .members .description"
	signOutPart  = ".account[open] .members .link"
	offeredPart  = ".question[open] .members .description"
)

// strangers returns the pages of two new people, both live.
func strangers(t *testing.T, b *browser, url string) (ann, bob person, annsPage, bobsPage *window) {
	t.Helper()
	ann, bob = newPerson(), newPerson()
	annsPage, bobsPage = b.open(t, url, nil), b.open(t, url, nil)
	annsPage.register(t, ann)
	bobsPage.register(t, bob)
	return ann, bob, annsPage, bobsPage
}

// share shares an entry with somebody, from the page.
func (w *window) share(t *testing.T, description, email, role string) {
	t.Helper()
	w.press(t, "People: "+description)
	w.fill(t, "Share with (e-mail address)", email)
	w.choose(t, "Permission", role)
	w.press(t, "Share")
}

// accept takes an entry that somebody offers, on the page.
func (w *window) accept(t *testing.T, description string, from person) {
	t.Helper()
	w.awaitText(t, from.name+" wants to share an entry with you.")
	w.press(t, "Invitations, 1 waiting")
	w.press(t, "Accept: "+description+" from "+from.name)
	w.awaitText(t, "No invitation waits for an answer.")
	w.press(t, "Close")
}

// An entry goes to another person and back, with the rights that its owner gives.
func TestPageSharesAnEntry(t *testing.T) {
	ann, bob, one, other := strangers(t, startBrowser(t), sqlite(t).url())
	one.add(t, "House", "840")
	other.add(t, "Ferry", "120")
	one.awaitRows(t, "House −840.00")
	one.share(t, "House", "nobody@example.test", "Can view")
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner", "nobody@example.test", "Invited, not accepted yet · Can view")
	one.press(t, "Cancel invitation: nobody@example.test")
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner")
	one.fill(t, "Share with (e-mail address)", bob.email)
	one.press(t, "Share")
	other.accept(t, "House", ann)
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner", bob.name, bob.email+" · Can view")
	one.press(t, "Close")
	one.awaitParts(t, detailPart, "Food · shared with 1 person")

	other.awaitRows(t, "Ferry −120.00", "House −840.00")
	other.awaitParts(t, detailPart, "Food", "Food · from "+ann.name)
	other.awaitParts(t, balancePart, "Balance −120.00")
	other.awaitParts(t, ".row:last-child .tools button[title]:not([hidden])", "", "", "") // to show it, to duplicate it, and people
	one.press(t, "People: House")
	one.press(t, "Allow editing: "+bob.name)
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner", bob.name, bob.email+" · Can edit")
	one.press(t, "Close")
	other.awaitButton(t, "Edit House")
	other.edit(t, "House", "Amount", "900")
	one.awaitRows(t, "House −900.00")
	one.awaitParts(t, balancePart, "Balance −900.00")

	one.press(t, "People: House")
	one.press(t, "Remove: "+bob.name)
	one.checkAccess(t, "whether to remove somebody")
	one.press(t, "Cancel")
	one.press(t, "Remove: "+bob.name)
	one.press(t, "Remove")
	other.awaitRows(t, "Ferry −120.00")
	one.fill(t, "Share with (e-mail address)", bob.email)
	one.press(t, "Share")
	other.awaitRows(t, "Ferry −120.00", "House −900.00")
	other.press(t, "People: House")
	other.press(t, "Leave this entry")
	other.press(t, "Leave")
	other.awaitText(t, "You have left House.")
	other.awaitRows(t, "Ferry −120.00")
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner")
}

// Who looks at the same entry sees the others there, typing, and what they say.
func TestPageMeetsOthersAtAnEntry(t *testing.T) {
	ann, bob, one, other := strangers(t, startBrowser(t), sqlite(t).url())
	one.add(t, "House", "840")
	one.awaitRows(t, "House −840.00")
	one.share(t, "House", bob.email, "Can view")
	other.accept(t, "House", ann)
	other.awaitRows(t, "House −840.00")
	one.awaitParts(t, herePart, "Here now: you")
	other.press(t, "People: House")
	one.awaitParts(t, herePart, "Here now: you, "+bob.name)
	other.awaitParts(t, herePart, "Here now: you, "+ann.name)

	other.fill(t, "Add a comment", "<b>Is that</b> with cleaning?")
	one.awaitParts(t, typingPart, bob.name+" is writing…")
	other.press(t, "Send")
	one.awaitParts(t, commentsPart, "<b>Is that</b> with cleaning?")
	one.awaitParts(t, typingPart)
	one.fill(t, "Add a comment", "It is.")
	one.press(t, "Send")
	other.awaitParts(t, commentsPart, "<b>Is that</b> with cleaning?", "It is.")
	other.checkAccess(t, "people, of a viewer")
	one.checkAccess(t, "people, of the owner")
	other.press(t, "Close")
	one.awaitParts(t, herePart, "Here now: you")

	other.press(t, "People: House")
	one.awaitParts(t, herePart, "Here now: you, "+bob.name)
	one.press(t, "Remove: "+bob.name)
	one.press(t, "Remove")
	other.awaitText(t, "House was deleted, or is no longer shared with you.")
	one.awaitParts(t, herePart, "Here now: you")
}

// A device is signed out from another one, and asks to sign in again.
func TestPageSignsAnotherDeviceOut(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	one.press(t, "Your account")
	one.awaitText(t, "This device")
	one.checkAccess(t, "devices")
	one.awaitParts(t, signOutPart, "Sign out")
	one.keys(t, "Tab", "Tab", "Enter") // past Close, to Sign out
	other.awaitText(t, "Your session has ended.")
	one.awaitText(t, "Chrome on Linux is signed out.")
	one.awaitParts(t, devicesPart, "Chrome on Linux")
	one.press(t, "Close")
	one.add(t, "Lunch", "12.50")
	one.awaitRows(t, "Lunch −12.50")
}

func TestPageOfPeopleIsAccessible(t *testing.T) { inEachLook(t, lookAtPeople) }

func lookAtPeople(t *testing.T, p *program, w *window) {
	who, bob := newPerson(), register(t, p)
	w.register(t, who)
	house := who.account(t, p).create(t, "House", "")
	w.awaitRows(t, "House −12.50")
	w.share(t, "House", "nobody@example.test", "Can edit")
	w.awaitText(t, "Invited, not accepted yet · Can edit")
	w.fill(t, "Share with (e-mail address)", bob.Email)
	w.press(t, "Share")
	bob.accept(t, house.ID)
	w.awaitText(t, bob.Email+" · Can edit")
	w.fill(t, "Add a comment", "With cleaning?")
	w.press(t, "Send")
	w.awaitParts(t, commentsPart, "With cleaning?")
	w.checkAccess(t, "people")
	w.press(t, "Close")
	w.press(t, "Your account")
	w.awaitParts(t, devicesPart, "Chrome on Linux", "Another app") // which is this test's own sign-in
	w.checkAccess(t, "devices")
}

// An invitation is answered by keyboard: one is declined, then who sends them blocked.
func TestPageDeclinesAndBlocks(t *testing.T) {
	ann, bob, one, other := strangers(t, startBrowser(t), sqlite(t).url())
	for _, name := range []string{"House", "Car", "Boat"} {
		one.add(t, name, "840")
		one.share(t, name, bob.email, "Can view")
		one.press(t, "Close")
	}
	other.awaitButton(t, "Invitations, 3 waiting")
	other.press(t, "Invitations, 3 waiting")
	other.checkAccess(t, "invitations")
	other.keys(t, "Tab", "Tab", "Tab", "Enter") // past Close and Accept, to Decline
	other.awaitParts(t, offeredPart, "Car", "House")
	other.keys(t, "Tab", "Tab", "Tab", "Tab", "Enter") // to Block
	other.awaitParts(t, offeredPart, ann.name)
	one.add(t, "Plane", "840")
	one.share(t, "Plane", bob.email, "Can view")
	one.awaitParts(t, membersPart, ann.name+" (you)", "Owner", bob.email, "Invited, not accepted yet · Can view")
	other.awaitParts(t, offeredPart, ann.name)
	other.press(t, "Unblock "+ann.name)
	other.awaitParts(t, offeredPart)
	other.awaitRows(t)
}

// Rows stayed on a device that was signed out from another one.
func TestPageForgetsWhatItReadWhenItsSessionEnds(t *testing.T) {
	_, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	one.add(t, "Clinic", "840")
	other.awaitRows(t, "Clinic −840.00")
	other.do(t, "reload", nil) // which keeps the rows for the next start
	other.awaitRows(t, "Clinic −840.00")
	if kept := other.stored(t); !strings.Contains(kept, "Clinic") {
		t.Errorf("nothing was kept: %s", kept)
	}
	one.press(t, "Your account")
	one.awaitText(t, "This device")
	one.awaitParts(t, signOutPart, "Sign out")
	one.keys(t, "Tab", "Tab", "Enter") // past Close, to Sign out
	other.awaitText(t, "Your session has ended.")
	if kept := other.stored(t); strings.Contains(kept, "Clinic") {
		t.Errorf("the device that was signed out keeps %s", kept)
	}
}

// An account is deleted on the page, behind its password.
func TestPageDeletesTheAccount(t *testing.T) {
	who, one, other := twoWindows(t, startBrowser(t), sqlite(t).url())
	one.add(t, "Clinic", "840")
	one.press(t, "Your account")
	one.awaitText(t, "This device")
	one.press(t, "Delete the account")
	one.fill(t, "Your password", "wrong")
	one.press(t, "Delete it for ever")
	one.awaitText(t, "Password is incorrect.")
	one.fill(t, "Your password", who.password)
	one.press(t, "Delete it for ever")
	one.awaitText(t, "Your account has been deleted.")
	if kept := one.stored(t); strings.Contains(kept, "expenseflow.") {
		t.Errorf("the browser keeps %s of an account that is gone", kept)
	}
	other.awaitText(t, "Your session has ended.")
	for _, w := range []*window{one, other} {
		if kept := w.stored(t); strings.Contains(kept, "Clinic") {
			t.Errorf("a device keeps %s", kept)
		}
	}
}
