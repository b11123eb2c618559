package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Only documents of shared expenses have the keys about sharing.
func TestADocumentSaysWhoSharesItOnlyIfSomebodyDoes(t *testing.T) {
	e := models.Expense{ID: "64b0000000000000000000e1", UserID: "64b000000000000000000001"}
	plain := string(wire.AppendExpense(nil, &e))
	if strings.Contains(plain, "shared") || strings.Contains(plain, "role") {
		t.Errorf("of one's own: %s", plain)
	}
	e.Shares, e.HasDependents = 2, true
	if got, want := string(wire.AppendExpense(nil, &e)), strings.TrimSuffix(plain, "}")+`,"shared":2}`; got != want {
		t.Errorf("of one's own that others have:\n%s, want\n%s", got, want)
	}
	e.Shares, e.Role, e.SharedBy = 0, models.RoleViewer, "Bob <b>"
	shared := strings.TrimSuffix(plain, "}") + `,"sharedBy":{"id":"64b000000000000000000001","name":"Bob \u003cb\u003e"},"role":"viewer"`
	if got := string(wire.AppendExpense(nil, &e)); got != shared+"}" {
		t.Errorf("of another's:\n%s, want\n%s", got, shared+"}")
	}
	if got := string(wire.AppendPulledExpense(nil, &e)); !strings.HasPrefix(got, shared+`,"id":`) {
		t.Errorf("pulled: %s", got)
	}
}

func TestOnlyTheOwnersDevicesHearWithWhomItIsShared(t *testing.T) {
	c := models.Change{
		Kind: models.ShareChanged, EntityID: "64b0000000000000000000e1", Author: models.Author{DeviceID: "phone"},
		Shares: []models.Share{{
			UserID: "64b000000000000000000002", Name: "Carol", Email: "carol@example.org",
			Role: models.RoleEditor, CreatedAt: time.Now(),
		}},
	}
	events := wire.Events(&c)
	want := `{"expenseId":"64b0000000000000000000e1","sharedWith":[{"id":"64b000000000000000000002","name":"Carol","email":"carol@example.org","role":"editor"}],"deviceId":"phone"}`
	if len(events) != 1 || events[0].Name != "expense:shared" || events[0].Variant != wire.SingleVariant ||
		string(events[0].Payload) != want {
		t.Errorf("events: %+v", events)
	}
	c.Shares = nil
	if got := string(wire.Events(&c)[0].Payload); !strings.Contains(got, `"sharedWith":[]`) {
		t.Errorf("with nobody: %s", got)
	}
	if got := wire.Events(&models.Change{Kind: models.ExpenseRetracted, EntityID: c.EntityID}); got != nil {
		t.Errorf("what was retracted makes %+v", got)
	}
}

func TestAShareIsReadStrictly(t *testing.T) {
	for body, want := range map[string]string{
		`{"email":" Carol@Example.org ","role":"editor","deviceId":"phone"}`: "",
		`{"role":"editor"}`:                               `"email" is required`,
		`{"email":5,"role":"editor"}`:                     `"email" must be a string`,
		`{"email":"carol","role":"editor"}`:               `"email" must be a valid email`,
		`{"email":"carol@example.org"}`:                   `"role" is required`,
		`{"email":"carol@example.org","role":7}`:          `"role" must be one of [viewer, editor]`,
		`{"email":"carol@example.org","role":"owner"}`:    `"role" must be one of [viewer, editor]`,
		`{"email":"c@example.org","role":"viewer","x":1}`: `"x" is not allowed`,
		`[]`: `"value" must be of type object`,
		`{`:  "Malformed JSON",
	} {
		email, role, m, err := wire.ParseShare(json.RawMessage(body))
		if want == "" && (err != nil || email != "carol@example.org" || role != models.RoleEditor || m.DeviceID != "phone") {
			t.Errorf("%s: %q, %q, %+v, %v", body, email, role, m, err)
		}
		if want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}

func TestACommentIsTextOfOneKilobyte(t *testing.T) {
	markup := `<img src=x onerror="alert(1)">`
	for body, want := range map[string]string{
		`{"text":"` + strings.ReplaceAll(markup, `"`, `\"`) + `"}`: "",
		`{}`:                        `"text" is required`,
		`{"text":{}}`:               `"text" must be a string`,
		`{"text":" "}`:              `"text" is not allowed to be empty`,
		`{"text":"a\u0000b"}`:       `"text" must not contain NUL characters`,
		`{"text":"a","html":"<b>"}`: `"html" is not allowed`,
		`{"text":"` + strings.Repeat("é", models.MaxComment/2) + `x"}`: `"text" must be at most 1024 bytes long`,
	} {
		text, err := wire.ParseComment(json.RawMessage(body))
		if want == "" && (err != nil || text != markup) {
			t.Errorf("%s: %q, %v", body, text, err)
		}
		if want != "" && (err == nil || err.Error() != want) {
			t.Errorf("%.80s: %v, want %s", body, err, want)
		}
	}
	a := wire.NewActivity(models.Activity{Type: models.ActivityComment, Text: markup})
	if b, err := json.Marshal(a); err != nil || !strings.Contains(string(b), `"data":{"text":`) {
		t.Errorf("%s, %v", b, err)
	}
}

func FuzzParseShare(f *testing.F) {
	for _, s := range []string{
		`{"email":"a@b.co","role":"viewer"}`, `{"text":"hm"}`, `{"email":null}`, "", "[",
		`{"role":{"$gt":""}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		email, role, _, err := wire.ParseShare(json.RawMessage(body))
		checkRefusal(t, err)
		if err == nil && (models.CheckEmail(email) != nil || models.CheckRole(role) != nil) {
			t.Fatalf("accepted %q as %q", email, role)
		}
		text, err := wire.ParseComment(json.RawMessage(body))
		checkRefusal(t, err)
		if err == nil && models.CheckComment(text) != nil {
			t.Fatalf("accepted %q", text)
		}
	})
}

// The limit counts the bytes of the text, in which escapes of JSON are one byte.
func TestACommentWithLineBreaksWasTakenForTooLong(t *testing.T) {
	for _, text := range []string{strings.Repeat("\n\"", models.MaxComment/2), strings.Repeat("€", models.MaxComment/3)} {
		told, _ := json.Marshal(text)
		for _, data := range []string{string(told), `{"text":` + string(told) + `}`} {
			a, err := wire.ParseActivity(json.RawMessage(`{"room":"expense:64b0000000000000000000e1","type":"comment","data":` + data +
				`}`))
			if err != nil || a.Text != text {
				t.Errorf("a comment of %d bytes: %q, %v", len(text), a.Text, err)
			}
		}
	}
}

// Typing is sent to everybody in a room, so its data must be small.
func TestTypingOfAKilobyteIsRefused(t *testing.T) {
	for n, ok := range map[int]bool{200: true, 1000: false} {
		_, err := wire.ParseActivity(json.RawMessage(`{"room":"expense:64b0000000000000000000e1","type":"typing","data":{"x":"` +
			strings.Repeat("y", n) + `"}}`))
		if (err == nil) != ok {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
