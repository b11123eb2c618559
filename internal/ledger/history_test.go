package ledger_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A historyPage is the document of a page as a client reads it.
type historyPage struct {
	Expense  map[string]any
	Entries  []historyItem
	Next     *string
	Complete bool
}

type historyItem struct {
	Action, DeviceID string
	Version          int64
	By               *struct{ ID, Name string }
	Changes          []struct {
		Field    string
		From, To any
	}
}

// historyOf returns all pages of the history in one, as the user reads it.
func (f *sharingFixture) historyOf(u models.User, limit int) (all historyPage) {
	f.t.Helper()
	for before := int64(0); ; {
		h, err := f.History(f.t.Context(), u.ID, f.expense.ID, before, limit)
		if err != nil {
			f.t.Fatalf("history: %v", err)
		}
		if len(h.Entries) > limit || len(h.Entries) < limit && h.Next != 0 {
			f.t.Fatalf("a page of %d entries, limit %d, next %d", len(h.Entries), limit, h.Next)
		}
		page := historyPage{}
		if err := json.Unmarshal(wire.AppendHistory(nil, f.expense.ID, &h), &page); err != nil {
			f.t.Fatal(err)
		}
		all.Expense, all.Complete = page.Expense, page.Complete
		all.Entries = append(all.Entries, page.Entries...)
		if page.Next == nil {
			return all
		}
		if before, err = wire.ParseHistoryCursor(*page.Next); err != nil {
			f.t.Fatal(err)
		}
	}
}

// applied returns the fields that the entries lead to, from the newest on that names all.
func (p *historyPage) applied() map[string]any {
	fields := map[string]any{}
	for i := len(p.Entries) - 1; i >= 0; i-- {
		if p.Entries[i].Action == "received" {
			clear(fields)
		}
		for _, c := range p.Entries[i].Changes {
			if c.Field == "sharedWith" {
				continue // no field of the expense
			}
			fields[c.Field] = c.To
			if c.To == nil {
				delete(fields, c.Field)
			}
		}
	}
	return fields
}

// lines returns the entries in words, with short names of the users.
func (f *sharingFixture) lines(p *historyPage) (lines []string) {
	names := map[string]string{f.owner.ID: "Olga", f.editor.ID: "Ed", f.viewer.ID: "Vera"}
	for _, e := range p.Entries {
		line := e.Action
		if e.By != nil {
			line += " by " + names[e.By.ID]
		}
		if e.DeviceID != "" {
			line += " on " + e.DeviceID
		}
		for _, c := range e.Changes {
			switch e.Action {
			case "shared":
				line += fmt.Sprintf(", with %s to %s", members(c.From), members(c.To))
			case "updated", "role":
				line += fmt.Sprintf(", %s %v to %v", c.Field, c.From, c.To)
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// members returns the names and roles of a list as a history has it.
func members(list any) string {
	if list == nil {
		return "?"
	}
	var names []string
	for _, m := range list.([]any) {
		member := m.(map[string]any)
		names = append(names, fmt.Sprintf("%v %v", member["name"], member["role"]))
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// wantHistory wants these entries, beside those of whom the expense is shared with.
func (f *sharingFixture) wantHistory(u models.User, want ...string) {
	f.t.Helper()
	h := f.historyOf(u, 2)
	h.Entries = slices.DeleteFunc(h.Entries, func(e historyItem) bool { return e.Action == "shared" })
	if diff := cmp.Diff(want, f.lines(&h)); diff != "" || !h.Complete {
		f.t.Errorf("history, complete %t (-want +got):\n%s", h.Complete, diff)
	}
}

func (f *sharingFixture) wantNoHistory(users ...models.User) {
	f.t.Helper()
	for _, u := range users {
		if h, err := f.History(f.t.Context(), u.ID, f.expense.ID, 0, 10); models.KindOf(err) != models.NotFound {
			f.t.Errorf("%s reads %+v, %v", u.Name, h, err)
		}
	}
}

func (f *sharingFixture) edit(u models.User, device string, p models.Patch) {
	f.t.Helper()
	if _, err := f.UpdateExpense(f.t.Context(), u.ID, f.expense.ID, nil, p, models.Author{DeviceID: device}); err != nil {
		f.t.Fatal(err)
	}
}

func TestAHistoryTellsEachReaderWhatTheyMayKnow(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		f.edit(f.editor, "tablet", models.Patch{Amount: ptr(models.Money(13_000_000))})
		f.edit(f.owner, "phone", models.Patch{Notes: ptr("with Dave")})
		f.share(f.viewer, models.RoleEditor)
		f.wantHistory(f.owner,
			"updated by Olga on phone, notes <nil> to with Dave", "updated by Ed, amount 12.5 to 13", "created by Olga")
		f.wantHistory(f.editor,
			"updated by Olga, notes <nil> to with Dave", "updated by Ed on tablet, amount 12.5 to 13", "received by Ed")
		f.wantHistory(f.viewer, "role by Olga, role viewer to editor",
			"updated by Olga, notes <nil> to with Dave", "updated by Ed, amount 12.5 to 13", "received by Vera")
		f.wantNoHistory(f.former, f.stranger)

		f.unshare(f.editor)
		f.wantHistory(f.owner,
			"updated by Olga on phone, notes <nil> to with Dave", "updated by Ed, amount 12.5 to 13", "created by Olga")
		f.wantHistory(f.viewer, "role by Olga, role viewer to editor",
			"updated by Olga, notes <nil> to with Dave", "updated, amount 12.5 to 13", "received by Vera") // Ed is no member any more
		f.wantNoHistory(f.editor)
		f.share(f.editor, models.RoleViewer)
		f.wantHistory(f.editor, "received by Ed", "lost by Olga",
			"updated by Olga, notes <nil> to with Dave", "updated by Ed on tablet, amount 12.5 to 13", "received by Ed")
	})
}

// Whom an entry is shared with was not in its history. It is its owner's to know.
func TestAHistoryTellsTheOwnerWhoGotAndLostTheExpense(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		f.edit(f.owner, "", models.Patch{Notes: ptr("with Dave")})
		f.share(f.viewer, models.RoleEditor)
		if _, err := f.Unshare(f.t.Context(), f.editor.ID, f.expense.ID, f.editor.ID, models.Author{}); err != nil {
			f.t.Fatal(err)
		}
		if err := f.store.DeleteUser(f.t.Context(), f.viewer.ID); err != nil {
			f.t.Fatal(err)
		}
		h := f.historyOf(f.owner, 3)
		ed, vera := f.editor.Name, "<nil>" // whose account is deleted
		var got []string
		for _, line := range f.lines(&h) {
			if !strings.HasSuffix(line, "with ? to ?") { // an invitation
				got = append(got, line)
			}
		}
		want := []string{
			fmt.Sprintf("shared, with [%s editor] to []", vera),
			fmt.Sprintf("shared by Ed, with [%s editor, %s editor] to [%s editor]", ed, vera, vera),
			fmt.Sprintf("shared by Olga, with [%s editor, %s viewer] to [%s editor, %s editor]", ed, vera, ed, vera),
			"updated by Olga, notes <nil> to with Dave",
		}
		if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" || !h.Complete {
			f.t.Errorf("history, complete %t (-want +got):\n%s\n%q", h.Complete, diff, got)
		}
	})
}

// Reading a page of a history went through all that was shared and unshared before.
func TestAHistoryLooksOnlySoFarForWhatWasBefore(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		for _, tt := range []struct {
			between int
			known   bool
		}{{450, true}, {501, false}} {
			f.edit(f.owner, "", models.Patch{Notes: ptr(fmt.Sprint("before ", tt.between))})
			err := f.store.Write(f.t.Context(), f.owner.ID, func(tx *store.Tx) error {
				for range tt.between {
					tx.Append(models.Change{Kind: models.ShareChanged, EntityID: f.expense.ID})
				}
				return nil
			})
			if err != nil {
				f.t.Fatal(err)
			}
			f.edit(f.owner, "", models.Patch{Notes: ptr("after")})
			h, err := f.History(f.t.Context(), f.owner.ID, f.expense.ID, 0, 2)
			if err != nil || h.Next == 0 || (h.Entries[0].Before != nil) != tt.known {
				f.t.Errorf("%d changes between: %+v, %v", tt.between, h, err)
			}
		}
	})
}

// What was taken off an expense while a member did not have it came back by applying all of
// the entries that the member reads.
func TestAHistoryBeginsAnewWhenAMemberHasTheExpenseAgain(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		f.edit(f.owner, "", models.Patch{Notes: ptr("with Dave"), Tags: ptr(models.NewTags([]string{"work"}))})
		f.unshare(f.viewer)
		f.edit(f.owner, "", models.Patch{Notes: ptr(""), Tags: ptr(models.Tags(""))})
		f.share(f.viewer, models.RoleViewer)
		h := f.historyOf(f.viewer, 2)
		fields := h.applied()
		if fields["description"] != "Lunch" || fields["notes"] != nil || fields["tags"] != nil {
			f.t.Errorf("applied: %v", fields)
		}
		for _, c := range h.Entries[0].Changes {
			if c.From != nil {
				f.t.Errorf("what was before is told: %+v", c)
			}
		}
	})
}

func TestADeletedExpenseKeepsItsHistoryForItsOwner(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		if _, err := f.DeleteExpense(f.t.Context(), f.owner.ID, f.expense.ID, models.Author{DeviceID: "phone"}); err != nil {
			f.t.Fatal(err)
		}
		f.wantHistory(f.owner, "deleted by Olga on phone", "created by Olga")
		if h := f.historyOf(f.owner, 10); h.Expense != nil || h.applied()["description"] != "Lunch" {
			f.t.Errorf("the history of a deleted expense: %+v", h)
		}
		f.wantNoHistory(f.editor, f.viewer, f.former, f.stranger)
	})
}

// What is no longer kept is not complete, and the oldest change that is kept lists all fields.
func TestAHistoryIsAsLongAsTheLog(t *testing.T) {
	eachSharingFixture(t, func(f *sharingFixture) {
		prune := func() {
			if _, err := f.store.PruneLogs(f.t.Context(), time.Now().Add(time.Hour), 1000); err != nil {
				f.t.Fatal(err)
			}
		}
		prune()
		if h := f.historyOf(f.owner, 10); len(h.Entries) != 0 || h.Complete || h.Expense["description"] != "Lunch" {
			f.t.Errorf("the history of a log without changes: %+v", h)
		}
		f.edit(f.owner, "", models.Patch{Notes: ptr("with Dave")})
		h := f.historyOf(f.owner, 10)
		fields := h.applied()
		if len(h.Entries) != 1 || h.Complete || fields["notes"] != "with Dave" || fields["description"] != "Lunch" {
			f.t.Errorf("the history after the log was cut: %+v", h)
		}
		for _, c := range h.Entries[0].Changes {
			if c.From != nil {
				f.t.Errorf("what was before is not kept: %+v", c)
			}
		}
	})
}

// sharesAlone reports whether all is cut, but for with whom the expense was shared.
func (p *historyPage) sharesAlone() bool {
	for _, e := range p.Entries {
		if e.Action != "shared" {
			return false
		}
	}
	return true
}

// Applying the history from its start gives the stored expense, whoever changed it how often
// and whoever reads it, also after the log was cut.
func TestApplyingAHistoryGivesTheStoredExpense(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		o := options(t)
		o.SQLiteSync = "NORMAL" // no test cuts the power
		f := newSharingFixture(t, o)
		rapid.Check(t, func(r *rapid.T) {
			changes := rapid.SliceOfN(rapid.Custom(drawPatch), 0, 4).Draw(r, "changes")
			for _, p := range changes {
				f.edit(rapid.SampledFrom([]models.User{f.owner, f.editor}).Draw(r, "who"), "", p)
			}
			if rapid.IntRange(0, 2).Draw(r, "prune") == 0 {
				most := rapid.IntRange(1, 20).Draw(r, "pruned")
				if _, err := f.store.PruneLogs(t.Context(), time.Now().Add(time.Hour), most); err != nil {
					r.Fatal(err)
				}
			}
			for _, u := range []models.User{f.owner, f.editor, f.viewer} {
				h := f.historyOf(u, rapid.IntRange(5, 100).Draw(r, "limit"))
				if h.sharesAlone() {
					continue // what is left of the log has no fields
				}
				want := maps.Clone(h.Expense)
				for _, key := range []string{"_id", "user", "createdAt", "updatedAt", "__v", "version", "shared", "sharedBy", "role"} {
					delete(want, key)
				}
				if diff := cmp.Diff(want, h.applied()); diff != "" {
					r.Fatalf("(-stored +applied):\n%s", diff)
				}
			}
		})
	})
}

func drawPatch(r *rapid.T) models.Patch {
	maybe := func(name string) *string {
		if !rapid.Bool().Draw(r, name+"?") {
			return nil
		}
		return ptr(rapid.SampledFrom([]string{"", "a", "b"}).Draw(r, name))
	}
	p := models.Patch{Merchant: maybe("merchant"), Notes: maybe("notes")}
	if rapid.Bool().Draw(r, "tags?") {
		p.Tags = ptr(models.NewTags(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(r, "tags")))
	}
	if rapid.Bool().Draw(r, "amount?") {
		p.Amount = ptr(models.Money(rapid.Int64Range(1, 3).Draw(r, "amount") * 1_000_000))
	}
	if rapid.Bool().Draw(r, "currency?") {
		p.Currency = ptr(rapid.SampledFrom([]string{"", "EUR", "USD"}).Draw(r, "currency"))
	}
	if rapid.Bool().Draw(r, "date?") {
		p.Date = ptr(time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_700_000_900_000).Draw(r, "date")).UTC())
	}
	return p
}
