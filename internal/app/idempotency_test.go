package app

import (
	"strings"
	"testing"
)

// A client that got no answer sends the same request again: it gets the same answer, and
// no second expense is made.
func TestAPostWithAKeyIsAppliedOnce(t *testing.T) {
	r := start(t)
	alice, bob := r.register("alice@example.org"), r.register("bob@example.org")
	heard := r.listen(alice)
	post := func(token, key, body string) answer {
		return r.call("POST", "/api/expenses", token, body, "Idempotency-Key", key)
	}
	first := post(alice, "k1", expenseBody)
	if first.code != 201 {
		t.Fatalf("first: %d %s", first.code, first.body)
	}
	other := strings.Replace(expenseBody, "12.5", "13", 1)
	refused := post(alice, "k1", other)
	const text = `{"error":"This Idempotency-Key was used for another expense","message":"This Idempotency-Key was used for ` +
		`another expense","code":"IDEMPOTENCY_KEY_REUSED"}`
	if refused.code != 409 || refused.body != text {
		t.Errorf("another body: %d %s", refused.code, refused.body)
	}
	if again := post(bob, "k1", other); again.code != 201 {
		t.Errorf("another user's key: %d %s", again.code, again.body)
	}
	r.call("DELETE", "/api/expenses/"+first.field("_id"), alice, "")
	respelt := strings.Replace(strings.Replace(expenseBody, "12.5", `"12.50"`, 1), "Lunch", " Lunch ", 1)
	for _, body := range []string{expenseBody, respelt} {
		if again := post(alice, "k1", body); again.code != 201 || again.body != first.body {
			t.Errorf("again: %d %s, want %s", again.code, again.body, first.body)
		}
	}
	post(alice, "k2", strings.Replace(expenseBody, "Lunch", "The end", 1))
	if got := heard.until("The end"); len(got) != 2 || !strings.HasPrefix(got[0], "expense_created") ||
		!strings.HasPrefix(got[1], "expense_deleted") {
		t.Errorf("heard %q", got)
	}
}
