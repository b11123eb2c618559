package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestParseSinceTakesPositionsAndMoments(t *testing.T) {
	at := func(ms int64) *models.Cursor { return &models.Cursor{At: time.UnixMilli(ms).UTC()} }
	tests := map[string]*models.Cursor{
		"":                         nil,
		"0":                        {},
		"12":                       {Seq: 12},
		"99999999999":              {Seq: 99999999999},
		"100000000000":             at(100000000000),
		"1795288041641":            at(1795288041641),
		"2026-01-19T12:00:00.000Z": {At: noon},
		"2026-01-19":               {At: noon.Add(-12 * time.Hour)},
		"epoch.user.z":             {Epoch: "epoch", UserID: "user", Seq: 35},
	}
	for s, want := range tests {
		got, err := wire.ParseSince(s)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v (-want +got):\n%s", s, err, diff)
		}
	}
	for _, s := range []string{
		"-1", "+1", "1.5", "1e3", "lunch", "epoch.user.-1", "epoch.user.+1", "epoch.user.Z", "epoch.user.01", ".user.1", "epoch..1",
		"epoch.user.", "a.b.c.d", "epoch.user.zzzzzzzzzzzzzzzzzzzzz", "99999999999999999999", "0x10", "null",
	} {
		if got, err := wire.ParseSince(s); models.KindOf(err) != models.Invalid {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}

func TestParseLimitHasBounds(t *testing.T) {
	for s, want := range map[string]int{"": 7, "1": 1, "10": 10} {
		if got, err := wire.ParseLimit(s, 7, 10); got != want || err != nil {
			t.Errorf("%q: %d, %v", s, got, err)
		}
	}
	for s, want := range map[string]string{
		"0": `"limit" must be greater than or equal to 1`, "-3": `"limit" must be greater than or equal to 1`,
		"11": `"limit" must be less than or equal to 10`, "all": `"limit" must be an integer`, "1.5": `"limit" must be an integer`,
	} {
		if _, err := wire.ParseLimit(s, 7, 10); models.Message(err) != want || models.KindOf(err) != models.Invalid {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestOnlyANamedPlaceAsksForChanges(t *testing.T) {
	for _, arg := range []string{``, `null`, `{}`, `7`, `"2026-01-19"`, `[{"since":1}]`, `{"entityTypes":[]}`, `{"Since":1}`} {
		if _, asked, err := wire.ParseSyncRequest(json.RawMessage(arg)); asked || err != nil {
			t.Errorf("%s: %v, %v", arg, asked, err)
		}
	}
	moment := models.Cursor{At: noon}
	for arg, want := range map[string]models.Cursor{
		`{"since":null}`:                                {},
		`{"since":""}`:                                  {},
		`{"since":5}`:                                   {Seq: 5},
		`{"since":"5"}`:                                 {Seq: 5},
		`{"since":"e.u.5"}`:                             {Epoch: "e", UserID: "u", Seq: 5},
		`{"since":1768824000000}`:                       moment,
		`{"since":"2026-01-19T12:00:00.000Z"}`:          moment,
		`{"lastSyncedAt":null,"entityTypes":[]}`:        {},
		`{"lastSyncedAt":"2026-01-19T12:00:00.000Z"}`:   moment,
		`{"lastSyncedAt":1768824000000}`:                moment,
		`{"lastSyncedAt":0}`:                            {At: time.UnixMilli(0).UTC()},
		`{"since":5,"lastSyncedAt":"nonsense, unused"}`: {Seq: 5},
	} {
		got, asked, err := wire.ParseSyncRequest(json.RawMessage(arg))
		if diff := cmp.Diff(want, got); diff != "" || !asked || err != nil {
			t.Errorf("%s: %v, %v (-want +got):\n%s", arg, asked, err, diff)
		}
	}
	for _, arg := range []string{
		`{"since":-1}`, `{"since":1.5}`, `{"since":"x"}`, `{"since":{}}`, `{"since":true}`,
		`{"lastSyncedAt":"x"}`, `{"lastSyncedAt":[]}`,
	} {
		if _, asked, err := wire.ParseSyncRequest(json.RawMessage(arg)); !asked || models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %v, %v", arg, asked, err)
		}
	}
}

func page(changes ...models.Change) *models.LogPage {
	for i := range changes {
		changes[i].Seq, changes[i].At = int64(i)+8, noon.Add(time.Duration(i)*time.Second)
	}
	return &models.LogPage{
		LogState: models.LogState{Epoch: "0123456789abcdef", Head: 40, SyncedAt: later}, Since: 7, Changes: changes,
	}
}

func TestPagesMatchTheirGoldenFiles(t *testing.T) {
	e, r := lunch(), rent()
	r.ID = "65a000000000000000000002"
	by := models.Author{DeviceID: "device_abc123xyz"}
	p := page(
		models.Change{Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e, Author: by},
		models.Change{Kind: models.ExpenseCreated, EntityID: r.ID, Expense: r},
		models.Change{Kind: models.ExpenseDeleted, EntityID: e.ID, Expense: e, Author: by},
		models.Change{Kind: models.ShareChanged, EntityID: r.ID, Shares: []models.Share{{}}},
		models.Change{Kind: models.ShareChanged, EntityID: e.ID},
		models.Change{Kind: models.ShareChanged, EntityID: r.ID, Shares: []models.Share{{}, {}}},
	)
	end := page()
	end.Head = end.Since
	snapshot := wire.AppendExpense(wire.AppendSnapshotStart(nil, end.Epoch, e.UserID, 7), &e)
	for name, got := range map[string][]byte{
		"changes_page":          wire.AppendLogPage(nil, e.UserID, p),
		"changes_end":           wire.AppendLogPage(nil, e.UserID, end),
		"changes_snapshot":      append(snapshot, "]}"...),
		"sync_changes":          wire.SyncChanges(e.UserID, p),
		"sync_changes_end":      wire.SyncChanges(e.UserID, end),
		"sync_changes_snapshot": wire.SyncChanges(e.UserID, &models.LogPage{NeedsSnapshot: true}),
	} {
		if !json.Valid(got) {
			t.Errorf("%s is no JSON: %s", name, got)
		}
		golden(t, name, got)
	}
}

// A page of the log contains only changes of expenses; others only advance its end.
func TestPagesLeaveOutWhatIsNoExpense(t *testing.T) {
	e, b := lunch(), models.Budget{ID: "65b000000000000000000001"}
	n := models.Notification{ID: "65b000000000000000000002"}
	p := page(
		models.Change{Kind: models.BudgetCreated, EntityID: b.ID, Budget: &b},
		models.Change{Kind: models.ExpenseCreated, EntityID: e.ID, Expense: e},
		models.Change{Kind: models.BudgetAlerted, EntityID: b.ID, Alert: &models.BudgetAlert{}},
		models.Change{Kind: models.NotificationCreated, EntityID: n.ID, Notification: &n},
		models.Change{Kind: models.NotificationRead},
	)
	for _, got := range []json.RawMessage{wire.AppendLogPage(nil, e.UserID, p), wire.SyncChanges(e.UserID, p)} {
		var doc struct {
			Next    string
			Changes []map[string]any
			Deleted []any
		}
		if err := json.Unmarshal(got, &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Changes) != 1 || len(doc.Deleted) != 0 || doc.Next != wire.Offset(p.Epoch, e.UserID, 12) {
			t.Errorf("the page is %s", got)
		}
	}
}

// Any text can be parsed as a position without a panic, and an accepted offset is written
// as the same text.
func FuzzParseSince(f *testing.F) {
	for _, s := range []string{
		"", "0", "12", "e.u.z", "2026-01-19T12:00:00.000Z", "1795288041641", "-1", "a.b.c", "e.u.z.0",
		"e.u.z.1", "e.u.z.10",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := wire.ParseSince(s)
		switch {
		case err != nil:
			checkRefusal(t, err)
		case c != nil && (c.Seq < 0 || (c.Epoch == "") != (c.UserID == "")):
			t.Errorf("%q is %+v", s, c)
		case c != nil && c.Epoch != "" && !strings.HasPrefix(s, wire.Offset(c.Epoch, c.UserID, c.Seq)):
			t.Errorf("%q is %+v", s, c)
		}
		quoted, _ := json.Marshal(map[string]string{"since": s})
		if _, asked, _ := wire.ParseSyncRequest(quoted); !asked {
			t.Errorf("%s asks for nothing", quoted)
		}
	})
}
