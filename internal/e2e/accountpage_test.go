package e2e

import "testing"

// Parts of the page of an account, as CSS finds them.
const (
	bellPart         = ".bell .count:not([hidden])"
	messagesPart     = ".notification .message"
	currentWordsPart = "#account-password-currentPassword-error:not(:empty)"
	darkPart         = "html[data-theme=dark] .brand"
)

const iPhone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) " +
	"Version/18.5 Mobile/15E148 Safari/604.1"

// Each section of the account is saved by itself. Whoever is signed out keeps what is queued.
func TestPageOfTheAccount(t *testing.T) {
	p, b, who := sqlite(t), startBrowser(t), newPerson()
	laptop, phone := b.open(t, p.url(), nil), b.open(t, p.url(), look{"userAgent": iPhone})
	laptop.register(t, who)
	phone.awaitText(t, "Forgot your password? Ask whoever runs this server; they can set a new one.")
	phone.signIn(t, who)
	phone.awaitStatus(t, "Live")
	laptop.awaitText(t, "Amounts are in INR.")
	laptop.press(t, "Choose a currency")
	laptop.focusIs(t, "Home currency")
	laptop.awaitText(t, "At least 8 characters.")
	laptop.awaitParts(t, devicesPart, "Chrome on Linux", "Safari on iPhone")
	laptop.awaitParts(t, ".account[open] .tag", "This device")

	phone.offline(t, true)
	phone.add(t, "Ferry", "120")
	laptop.press(t, "Sign out all others")
	laptop.awaitText(t, "All other devices are signed out.")
	laptop.awaitParts(t, devicesPart, "Chrome on Linux")
	phone.offline(t, false)
	phone.awaitText(t, "1 change that is kept here")
	phone.signIn(t, who)
	laptop.awaitParts(t, devicesPart, "Chrome on Linux", "Safari on iPhone")

	laptop.fill(t, "Name", "Ann Miller")
	laptop.press(t, "Save: Name")
	laptop.awaitText(t, "Your name is Ann Miller now.")
	same(t, "focus after saving", "Save: Name", laptop.focused(t))
	laptop.fill(t, "Home currency", "nothing")
	laptop.fill(t, "Home currency", "eur")
	laptop.press(t, "Save: Home currency")
	laptop.awaitText(t, "Your home currency is EUR now.")
	laptop.fill(t, "Current password", "wrong")
	laptop.fill(t, "New password", who.password+"!")
	laptop.press(t, "Change the password")
	laptop.awaitParts(t, currentWordsPart, "Current password is incorrect.")
	laptop.fill(t, "Current password", who.password) // the new one stays typed
	laptop.press(t, "Change the password")
	laptop.awaitText(t, "Your password is changed.")
	phone.awaitText(t, "Your session has ended.")
	who.password += "!"
	laptop.choose(t, "Appearance", "Dark")
	laptop.awaitText(t, "Saved on this device.")
	laptop.awaitParts(t, darkPart, "ExpenseFlow")
	laptop.checkAccess(t, "the account, in the dark")
	laptop.do(t, "reload", nil)
	laptop.awaitParts(t, darkPart, "ExpenseFlow")
	laptop.awaitRows(t, "Ferry −€120.00") // which came from the phone; the session goes on by its third token
	laptop.awaitStatus(t, "Live")

	phone.signIn(t, who)
	laptop.press(t, "Your account")
	laptop.press(t, "Sign out everywhere")
	laptop.press(t, "Sign out all devices")
	laptop.awaitText(t, "You are signed out on all devices.")
	phone.awaitText(t, "Your session has ended.")
}

// Whoever is invited, and whose entry another comments on or changes, is told, and finds the
// entry from there, or that it is gone.
func TestPageTellsWhatOthersDo(t *testing.T) {
	ann, bob, one, other := strangers(t, startBrowser(t), sqlite(t).url())
	one.add(t, "House", "840")
	one.share(t, "House", ann.email, "Can view")
	one.awaitText(t, "That is your own address.")
	one.fill(t, "Share with (e-mail address)", bob.email)
	one.choose(t, "Permission", "Can edit")
	one.press(t, "Share")
	one.awaitText(t, "It is listed above until it is accepted.")
	one.fill(t, "Share with (e-mail address)", bob.email)
	one.press(t, "Share")
	one.awaitText(t, "You have invited this address already.")
	one.press(t, "Close")
	one.awaitText(t, "Discard what you typed?") // the address still stands in its field
	one.press(t, "Discard")

	other.awaitParts(t, bellPart, "1")
	other.press(t, "Notifications, 1 unread")
	other.awaitParts(t, messagesPart, ann.name+" wants to share an entry with you.")
	other.checkAccess(t, "notifications")
	other.keys(t, "Tab", "Tab", "Tab", "Enter") // past Close and Mark all read, to Show the invitations
	other.press(t, "Accept: House from "+ann.name)
	other.press(t, "Close")
	other.awaitRows(t, "House −840.00")
	other.press(t, "People: House")
	other.fill(t, "Add a comment", "With cleaning?")
	other.press(t, "Send")
	other.awaitParts(t, commentsPart, "With cleaning?")
	other.press(t, "Close")
	other.edit(t, "House", "Amount", "900")
	other.edit(t, "House", "Amount", "910")

	one.awaitRows(t, "House −910.00")
	one.press(t, "Notifications, 2 unread")
	one.awaitParts(t, messagesPart, bob.name+" changed “House” 2 times.", bob.name+" commented on “House”.")
	one.keys(t, "Tab", "Tab", "Tab", "Enter") // to Open the entry
	one.awaitText(t, "Edit entry")
	one.press(t, "Close")
	one.press(t, "Notifications, 1 unread")
	one.keys(t, "Tab", "Tab", "Tab", "Tab", "Tab", "Enter") // past the other, which is read and can be deleted
	one.awaitParts(t, commentsPart, "With cleaning?")
	one.fill(t, "Add a comment", "It is.")
	one.press(t, "Send")
	one.awaitParts(t, commentsPart, "With cleaning?", "It is.")
	other.awaitButton(t, "Notifications, 1 unread")
	one.press(t, "Remove: "+bob.name)
	one.press(t, "Remove")
	other.awaitRows(t)
	other.press(t, "Notifications, 1 unread")
	other.keys(t, "Tab", "Tab", "Tab", "Enter")
	other.awaitText(t, "This entry is no longer there")
}
