package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Clients send the numbers of the variants back, so the numbers must never change.
func TestAChangeHasBothSpellingsWithFixedNumbers(t *testing.T) {
	var got []string
	for _, kind := range []models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted} {
		for _, e := range wire.Events(&models.Change{Kind: kind, EntityID: "x", Author: models.Author{DeviceID: "device_1"}}) {
			got = append(got, fmt.Sprint(e.Variant, " ", e.Name))
			if !json.Valid(e.Payload) || !strings.HasSuffix(string(e.Payload), `"deviceId":"device_1"}`) {
				t.Errorf("%s carries %s", e.Name, e.Payload)
			}
		}
	}
	want := []string{
		"0 expense_created", "1 expense:created",
		"0 expense_updated", "1 expense:updated",
		"0 expense_deleted", "1 expense:deleted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestABatchHasEachExpenseOnceAsItIsInTheEnd(t *testing.T) {
	change := func(id, text string, kind models.ChangeKind) models.Change {
		return models.Change{
			Kind: kind, EntityID: id, Expense: models.Expense{ID: id, Description: text},
			Author: models.Author{DeviceID: "device_1"},
		}
	}
	payload := wire.BatchPayload([]models.Change{
		change("a", "new", models.ExpenseCreated),
		change("b", "old, edited", models.ExpenseUpdated),
		change("a", "new and edited", models.ExpenseUpdated),
		change("c", "short-lived", models.ExpenseCreated),
		change("d", "old", models.ExpenseDeleted),
		change("b", "old, edited twice", models.ExpenseUpdated),
		change("c", "short-lived", models.ExpenseDeleted),
	})
	type document struct {
		ID          string `json:"_id"`
		Description string `json:"description"`
	}
	var got struct {
		Created, Updated, Deleted []document
		DeviceID                  string
	}
	if err := json.Unmarshal(payload, &got); err != nil {
		t.Fatal(err)
	}
	want := got
	want.Created, want.Updated = []document{{"a", "new and edited"}}, []document{{"b", "old, edited twice"}}
	want.Deleted, want.DeviceID = []document{{ID: "d"}, {ID: "c"}}, "device_1"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

func TestAnOffsetNamesTheEventThatWasHeard(t *testing.T) {
	tests := []struct {
		text string
		seq  int64
		part int
		ok   bool
	}{
		{"e.u.z", 35, wire.SingleVariant, true}, // of before there were parts
		{"e.u.z.0", 35, wire.UnderscoreVariant, true},
		{"e.u.z.1", 35, wire.ColonVariant, true},
		{"e.u.z.9", 35, 9, true}, // of a later version
		{"e.u.z.10", 0, 0, false},
		{"e.u.z.00", 0, 0, false},
		{"e.u.z.+1", 0, 0, false},
		{"e.u.z.-1", 0, 0, false},
		{"e.u.z.", 0, 0, false},
		{"e.u.z.0.0", 0, 0, false},
		{"e.u", 0, 0, false},
		{"", 0, 0, false},
	}
	for _, tt := range tests {
		c, part, ok := wire.ParseOffset(tt.text)
		if ok != tt.ok || (ok && (part != tt.part || c.Seq != tt.seq || c.Epoch != "e" || c.UserID != "u")) {
			t.Errorf("%q is %+v, part %d, %v", tt.text, c, part, ok)
		}
	}
}

func TestHelloDropsWhatItDoesNotKnow(t *testing.T) {
	tests := []struct {
		auth string
		want wire.ClientInfo
	}{
		{`{"token":"t","deviceId":"device_1","features":["batch"]}`, wire.ClientInfo{DeviceID: "device_1", Batch: true}},
		{`{"features":["other",1,null,{"batch":true}]}`, wire.ClientInfo{}},
		{`{"features":"batch"}`, wire.ClientInfo{}},
		{`{"deviceId":7,"features":{"batch":true}}`, wire.ClientInfo{}},
		{`{"deviceId":"` + strings.Repeat("x", wire.MaxIDLength+1) + `","features":[1,"batch"]}`, wire.ClientInfo{Batch: true}},
		{`{"deviceId":"a\u0000b"}`, wire.ClientInfo{}},
		{`{}`, wire.ClientInfo{}},
	}
	for _, tt := range tests {
		if got := wire.ParseClientInfo(members(tt.auth)); got != tt.want {
			t.Errorf("%s is %+v", tt.auth, got)
		}
	}
}

// members are those of an object; none of what is no object.
func members(object string) (m map[string]json.RawMessage) {
	_ = json.Unmarshal([]byte(object), &m)
	return m
}

func FuzzParseClientInfo(f *testing.F) {
	f.Add(`{"deviceId":"device_1","features":["batch"]}`)
	f.Add(`{"features":[`)
	f.Fuzz(func(t *testing.T, auth string) {
		if h := wire.ParseClientInfo(members(auth)); models.UTF16Len(h.DeviceID) > wire.MaxIDLength ||
			strings.ContainsRune(h.DeviceID, 0) {
			t.Errorf("device %q", h.DeviceID)
		}
	})
}
