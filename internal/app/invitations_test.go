package app

import (
	"fmt"
	"strings"
	"testing"
)

// The program delivers invitations in the background, and their effects are sent to every
// device of the users concerned.
func TestInvitationsArriveByThemselves(t *testing.T) {
	onEach(t, func(t *testing.T, r *running) {
		alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
		phone, laptop := r.listen(bob), r.listen(bob)
		share := func() string {
			id := r.call("POST", "/api/expenses", alice, expenseBody).field("_id")
			a := r.call("POST", "/api/expenses/"+id+"/share", alice, `{"email":"bob@example.org","role":"editor"}`)
			if want := fmt.Sprintf(`{"expenseId":%q,"invited":true}`, id); a.code != 202 || a.body != want {
				t.Errorf("share: %d %s", a.code, a.body)
			}
			return id
		}
		first := share()
		r.await("GET", "/api/invitations", bob, first)
		_, id, _ := strings.Cut(r.done200("GET", "/api/invitations", bob, "").body, `"id":"`)
		r.done200("POST", "/api/invitations/"+id[:24]+"/accept", bob, "")
		second := share()
		r.await("GET", "/api/expenses", bob, second) // without a question
		owner := r.done200("GET", "/api/expenses/"+first+"/share", bob, "").field("owner", "id")
		r.done200("POST", "/api/people/"+owner+"/block", bob, "")
		r.await("GET", "/api/people/blocked", bob, owner)
		r.done200("DELETE", "/api/people/"+owner+"/block", bob, "")
		r.call("POST", "/api/expenses", bob, strings.Replace(expenseBody, "Lunch", "The end", 1))
		for name, s := range map[string]*socket{"phone": phone, "laptop": laptop} {
			heard := strings.Join(s.until("The end"), "\n")
			for _, event := range []string{
				"invitation:received", "invitation:closed", "expense_created", "person:blocked",
				"person:unblocked",
			} {
				if !strings.Contains(heard, event+" ") {
					t.Errorf("the %s did not hear %s but\n%s", name, event, heard)
				}
			}
		}
	})
}

// An invitation to an address without an account waits until that address registers.
func TestAnInvitationWaitsForItsRecipientToRegister(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	id := r.call("POST", "/api/expenses", alice, expenseBody).field("_id")
	a := r.call("POST", "/api/expenses/"+id+"/share", alice, `{"email":"Bob@example.org","role":"viewer"}`)
	if want := fmt.Sprintf(`{"expenseId":%q,"invited":true}`, id); a.code != 202 || a.body != want {
		t.Errorf("share: %d %s", a.code, a.body)
	}
	bob := r.call("POST", "/api/auth/register", "", `{"name":"Bob","email":"bob@example.org","password":"a rare `+
		`secret"}`).field("token")
	r.await("GET", "/api/invitations", bob, id)
}
