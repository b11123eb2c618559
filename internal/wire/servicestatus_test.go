package wire_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestParseStatus(t *testing.T) {
	const states = `"status" must be one of [ok, degraded, shutting_down]`
	for body, want := range map[string]string{
		``: `"status" is required`, `{"status":"fine"}`: states, `{"status":7}`: states, `{"status":null}`: states,
		`{"status":"ok","message":7}`: `"message" must be a string`,
		`{"status":"ok","message":` + quote(strings.Repeat("x", 501)) +
			`}`: `"message" length must be less than or equal to 500 characters long`,
		`{"status":"ok","at":1}`: `"at" is not allowed`,
		`[]`:                     `"value" must be of type object`,
	} {
		if _, err := wire.ParseStatus(json.RawMessage(body), noon); err == nil || models.Message(err) != want {
			t.Errorf("%.60s: %v, want %s", body, err, want)
		}
	}
	got, err := wire.ParseStatus(json.RawMessage(`{"status":"degraded","message":" back at noon "}`), noon)
	if want := (wire.Status{Status: wire.StatusDegraded, Message: "back at noon", At: wire.Time(noon)}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add(`{"status":"ok","message":"fine"}`)
	f.Fuzz(func(t *testing.T, body string) {
		var broken *models.Error
		if s, err := wire.ParseStatus(json.RawMessage(body), noon); err == nil && (s.Status == "" || models.UTF16Len(s.Message) > 500) {
			t.Fatalf("%q: %+v", body, s)
		} else if err != nil && !errors.As(err, &broken) {
			t.Fatalf("%q: %v", body, err)
		}
	})
}
