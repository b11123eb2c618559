package wire

import (
	"encoding/json"
	"testing"

	"expenseflow/models"
)

func TestParseMetaReadsTheDeviceAlone(t *testing.T) {
	for body, want := range map[string]string{
		"": "", "{}": "", `{"deviceId":"device_1","foo":[1]}`: "device_1", `{"deviceId":7}`: "", `{"deviceId":null}`: "",
	} {
		if m, err := ParseMeta(json.RawMessage(body)); err != nil || m.DeviceID != want {
			t.Errorf("ParseMeta(%s) = %+v, %v; want device %q", body, m, err, want)
		}
	}
	for body, want := range map[string]string{"{": "Malformed JSON", "[]": `"value" must be of type object`} {
		if _, err := ParseMeta(json.RawMessage(body)); models.Message(err) != want {
			t.Errorf("ParseMeta(%s): %v, want %s", body, err, want)
		}
	}
}

func TestParseRetryTakesAnObjectOrNothing(t *testing.T) {
	for body, want := range map[string]string{"": "", "{}": "", `{"data":null}`: "", `{"data":{"amount":1}}`: `{"amount":1}`} {
		if data, err := ParseRetry(json.RawMessage(body)); err != nil || string(data) != want {
			t.Errorf("ParseRetry(%s) = %s, %v; want %s", body, data, err, want)
		}
	}
	for body, want := range map[string]string{`{"data":7}`: `"data" must be of type object`, "nope": "Malformed JSON"} {
		if _, err := ParseRetry(json.RawMessage(body)); models.Message(err) != want {
			t.Errorf("ParseRetry(%s): %v, want %s", body, err, want)
		}
	}
}
