package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestParseDeltaKeepsWhatItEchoes(t *testing.T) {
	got, err := wire.ParseDelta(json.RawMessage(`{"changes":[
		{"localId":"local_1","action":"create","data":{"amount":1},"version":0,"timestamp":1795288041641},
		{"id":"bbbbbbbbbbbbbbbbbbbbbbbb","action":"delete","version":"2","localId":5,"timestamp":"x"},
		{"action":"upsert"}, 7]}`))
	at, zero, two := int64(1795288041641), int64(0), int64(2)
	want := []models.DeltaChange{
		{
			Action: models.Create, LocalID: json.RawMessage(`"local_1"`), Data: json.RawMessage(`{"amount":1}`), Version: &zero,
			Timestamp: &at,
		},
		{Action: models.Delete, ID: "bbbbbbbbbbbbbbbbbbbbbbbb", LocalID: json.RawMessage("5"), Version: &two},
		{},
		{},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, body := range []string{"", "{}", `{"changes":{}}`, `{"changes":null}`} {
		if _, err := wire.ParseDelta(json.RawMessage(body)); text(err) != "Invalid changes format" {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestNameOfALocalID(t *testing.T) {
	for raw, want := range map[string]string{`"local_1"`: "local_1", "5": "5", "": ""} {
		if got := wire.LocalIDText(json.RawMessage(raw)); got != want {
			t.Errorf("%s: got %q, want %q", raw, got, want)
		}
	}
}
