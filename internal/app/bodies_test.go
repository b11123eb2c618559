package app

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"
)

// A batch that began with a byte order mark was refused again and again, and bytes that are
// not UTF-8 came back in answers, which then were not valid JSON.
func TestBodiesAreCleanedAsABrowserReadsThem(t *testing.T) {
	r := start(t)
	alice := r.register("alice@example.org")
	id := strings.ToUpper(r.expense(alice))
	made := operation("CREATE", "temp_1", `{"description":"a`+"\xff"+`b","amount":1,"category":"food","type":"expense"}`)
	moved := operation("UPDATE", id, `{"description":"Dinner","amount":2,"category":"food","type":"expense"}`)
	code, text := r.try("POST", "/api/sync/batch", alice, "\ufeff"+batchOf(made, moved))
	if code != http.StatusOK || strings.Count(string(text), `"success":true`) != 2 || !utf8.Valid(text) ||
		!strings.Contains(string(text), "a\ufffdb") {
		t.Errorf("batch: %d %s", code, text)
	}
	code, text = r.try("POST", "/api/sync/delta", alice, `{"changes":[{"localId":"local_`+"\xff"+`","action":"delete","id":"x",`+
		`"timestamp":1}]}`)
	if !json.Valid(text) || !utf8.Valid(text) {
		t.Errorf("delta: %d %q", code, text)
	}
	if a := r.call("GET", "/api/expenses", alice, ""); !strings.Contains(a.body, "Dinner") || strings.Contains(a.body, "Lunch") {
		t.Errorf("the id in upper case was not found: %s", a.body)
	}
}
