package reconcile_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func queued(id string, action models.Action, data string) models.Operation {
	at := nine.UnixMilli()
	return models.Operation{
		Action: action, ResourceType: "expense", ResourceID: id, DeviceID: device, Timestamp: &at, Data: json.RawMessage(data),
	}
}

// nested is data of so many levels, which a comparison level by level would read
// as many times.
func nested(levels int) string {
	return strings.Repeat("[", levels) + strings.Repeat("]", levels)
}

func TestNestedOrHugeDataIsRejectedAndTheBatchGoesOn(t *testing.T) {
	each(t, func(h *fixture) {
		huge := `{"description":"` + strings.Repeat("x", wire.MaxDataBytes) + `"}`
		rs := h.apply(
			queued("temp_1", models.Create, lunch),
			queued("temp_2", models.Create, nested(9_990)),
			queued(strings.Repeat("a", 24), models.Update, huge),
			queued("temp_3", models.Create, strings.Replace(lunch, "Lunch", "Supper", 1)),
		)
		h.wantStatuses(rs, models.StatusCreated, models.StatusRejected, models.StatusRejected, models.StatusCreated)
		for _, r := range rs[1:3] {
			if b := string(wire.AppendResult(nil, &r)); !strings.Contains(b, `"success":false,"error":"The data is`) {
				h.t.Errorf("the answer is %s", b)
			}
		}
		if _, pending, _ := h.Status(h.t.Context(), h.user.ID); pending != 0 {
			h.t.Errorf("%d operations are parked", pending)
		}
	})
}

func TestADeltaWithNestedOrHugeDataTellsOfTheseEntriesAlone(t *testing.T) {
	each(t, func(h *fixture) {
		at, name := nine.UnixMilli(), json.RawMessage(`"local_1"`)
		long := json.RawMessage(`"` + strings.Repeat("x", wire.MaxIDLength+1) + `"`)
		rs, err := h.Delta(h.t.Context(), h.user.ID, models.Author{DeviceID: device}, []models.DeltaChange{
			{Action: models.Create, LocalID: name, Data: json.RawMessage(lunch), Timestamp: &at},
			{Action: models.Create, LocalID: name, Data: json.RawMessage(nested(33)), Timestamp: &at},
			{
				Action: models.Create, LocalID: name, Data: json.RawMessage(`"` + strings.Repeat("x", wire.MaxDataBytes) + `"`),
				Timestamp: &at,
			},
			{Action: models.Create, LocalID: long, Data: json.RawMessage(lunch), Timestamp: &at},
		})
		if err != nil || len(rs) != 4 {
			h.t.Fatalf("%d results, %v", len(rs), err)
		}
		for i, r := range rs {
			if refused := r.Error != ""; refused != (i > 0) {
				h.t.Errorf("entry %d: %q", i, r.Error)
			}
		}
	})
}

func TestABatchWhoseClientLeftIsGivenUp(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, cancel := context.WithCancel(h.t.Context())
		cancel()
		ops := []models.Operation{queued("temp_1", models.Create, lunch)}
		if _, err := h.Apply(ctx, h.user.ID, models.Author{}, ops); models.KindOf(err) != models.Unavailable {
			h.t.Errorf("apply: %v", err)
		}
		if n := len(h.list()); n != 0 {
			h.t.Errorf("%d expenses", n)
		}
	})
}
