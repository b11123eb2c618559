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

func TestD4RefusesOnlyWhatAQueueCannotProduce(t *testing.T) {
	op := func(key, value string) string {
		fields := map[string]string{"action": `"CREATE"`, "resourceType": `"expense"`, "resourceId": `"temp_1"`, "deviceId": `"d"`}
		fields[key] = value
		var parts []string
		for k, v := range fields {
			if v != "" {
				parts = append(parts, fmt.Sprintf("%q:%s", k, v))
			}
		}
		return `{"operations":[` + "{" + strings.Join(parts, ",") + "}]}"
	}
	good := ""
	tests := []struct{ body, want string }{
		{"", `"operations" is required`},
		{"{}", `"operations" is required`},
		{"[]", `"value" must be of type object`},
		{`{"operations":null}`, `"operations" must be an array`},
		{`{"operations":{}}`, `"operations" must be an array`},
		{`{"operations":[7]}`, `"operations[0]" must be of type object`},
		{`{"operations":[null]}`, `"operations[0]" must be of type object`},
		{`{"operations":[{}]}`, `"operations[0].action" is required`},
		{op("action", `"create"`), `"operations[0].action" must be one of [CREATE, UPDATE, DELETE]`},
		{op("action", "null"), `"operations[0].action" must be one of [CREATE, UPDATE, DELETE]`},
		{op("resourceType", `"budget"`), `"operations[0].resourceType" must be [expense]`},
		{op("resourceId", ""), `"operations[0].resourceId" is required`},
		{op("resourceId", "1"), `"operations[0].resourceId" must be a string`},
		{op("resourceId", `""`), `"operations[0].resourceId" is not allowed to be empty`},
		{
			op("resourceId", quote(strings.Repeat("r", 257))),
			`"operations[0].resourceId" length must be less than or equal to 256 characters long`,
		},
		{op("deviceId", ""), `"operations[0].deviceId" is required`},
		{op("deviceId", `""`), `"operations[0].deviceId" is not allowed to be empty`},
		{
			op("deviceId", quote(strings.Repeat("d", 257))),
			`"operations[0].deviceId" length must be less than or equal to 256 characters long`,
		},
		{`{"operations":[`, "Malformed JSON"},

		{op("foo", "1"), good},
		{op("Action", `"x"`), good},
		{op("data", "null"), good},
		{op("data", `"text"`), good}, // a result of its own says so
		{op("timestamp", `"1795288041641"`), good},
		{op("timestamp", `{}`), good},
		{op("resourceId", `"a\u0000b"`), good},
		{`{"operations":[],"foo":1}`, good},
	}
	for _, tt := range tests {
		_, err := wire.ParseBatch(json.RawMessage(tt.body))
		if got := text(err); got != tt.want {
			t.Errorf("%.120s\n got %q\nwant %q", tt.body, got, tt.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return models.Message(err)
}

// The body was recorded from a browser (docs/contract.md#clients).
func TestParseBatchReadsTheBrowsersQueue(t *testing.T) {
	body := `{"operations":[
	{"action":"CREATE","resourceType":"expense","resourceId":"temp_1795288041640",
	"data":{"description":"Lunch","amount":12.5,"category":"food","type":"expense"},
	"deviceId":"device_abc123xyz","timestamp":1795288041641},
	{"action":"DELETE","resourceType":"expense","resourceId":"bbbbbbbbbbbbbbbbbbbbbbbb","data":null,
	"deviceId":"device_abc123xyz","timestamp":"1795288041642"}]}`
	first, second := int64(1795288041641), int64(1795288041642)
	want := []models.Operation{
		{
			Action: models.Create, ResourceType: "expense", ResourceID: "temp_1795288041640", DeviceID: "device_abc123xyz",
			Timestamp: &first,
			Data:      json.RawMessage(`{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`),
		},
		{
			Action: models.Delete, ResourceType: "expense", ResourceID: "bbbbbbbbbbbbbbbbbbbbbbbb", DeviceID: "device_abc123xyz",
			Timestamp: &second,
		},
	}
	got, err := wire.ParseBatch(json.RawMessage(body))
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func FuzzParseBatch(f *testing.F) {
	op := `{"action":"CREATE","resourceType":"expense","resourceId":"temp_1","data":` + with("", "") +
		`,"deviceId":"d","timestamp":1}`
	f.Add(`{"operations":[` + op + "," + op + `]}`)
	f.Add(`{"operations":[{"action":"UPDATE","resourceType":"expense","resourceId":"x","data":{"$set":1},"deviceId":"d"}]}`)
	f.Add(`{"operations":[],"changes":[{"action":"create","localId":1}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		ops, err := wire.ParseBatch(json.RawMessage(body))
		checkRefusal(t, err)
		for _, op := range ops {
			d, _, err := wire.ParseMongooseDraft(op.Data)
			checkRefusal(t, err)
			if err == nil && d.Check() != nil {
				t.Fatalf("accepted what the rules refuse: %v", d.Check())
			}
			_, _, err = wire.ParseMongoosePatch(op.Data)
			checkRefusal(t, err)
			if c := wire.Canonical(op.Data); string(wire.Canonical(c)) != string(c) {
				t.Fatalf("canonical form %s has another one", c)
			}
		}
		_, err = wire.ParseDelta(json.RawMessage(body))
		checkRefusal(t, err)
	})
}
