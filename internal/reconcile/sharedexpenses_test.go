package reconcile_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/internal/testneed"
	"expenseflow/models"
)

var (
	shareSteps = flag.Int("shares.steps", testneed.Fewer(400), "random steps of users who share, on each engine")
	shareSeed  = flag.Uint64("shares.seed", 1, "where their randomness begins")
)

// A modelExpense is an expense in the reference model.
type modelExpense struct {
	ID, Words string // the words of each state are its own
	Amount    models.Money
	Version   int64
	owner     int
	members   map[int]models.Role
	comments  int
}

func (d *modelExpense) role(person int) models.Role {
	switch {
	case d == nil:
		return models.NoRole
	case d.owner == person:
		return models.RoleOwner
	}
	return d.members[person]
}

// A visibleExpense is an expense in the view of one user.
type visibleExpense struct {
	Words    string
	Amount   models.Money
	Version  int64
	Role     models.Role
	SharedBy string
	Shares   int64
}

func visible(e models.Expense) visibleExpense {
	return visibleExpense{e.Description, e.Amount, e.Version, e.Role, e.SharedBy, e.Shares}
}

// A person is a user with a device that follows their log and one that pulls.
type person struct {
	models.User
	head   int64
	follow map[string]visibleExpense
	cursor time.Time
	pulled map[string]visibleExpense
}

// A sharingModel is people who share, and the reference.
type sharingModel struct {
	*fixture
	rand     *rand.Rand
	people   []*person
	expenses map[string]*modelExpense
	ids      []string // of all expenses ever
	step     int
	clock    int64
}

// TestNobodySeesWhatIsNotTheirs lets users do at random what they may and may not,
// by every entry point, and holds after each step what each of them can read against a
// reference: lists, pages, snapshots, pulls, single expenses, the log from where a
// device stood and from its beginning, parked operations, comments, balances.
func TestNobodySeesWhatIsNotTheirs(t *testing.T) {
	each(t, func(h *fixture) {
		random := rand.New(rand.NewPCG(*shareSeed, 0))
		var tb *sharingModel
		for step := range *shareSteps {
			if step%stepsTogether == 0 {
				tb = newSharingModel(h, random)
			}
			tb.step = step
			tb.act()
			tb.check()
			if h.t.Failed() {
				h.t.Fatalf("step %d of -shares.seed=%d", step, *shareSeed)
			}
		}
	})
}

// stepsTogether is the number of steps after which the users are replaced: their logs are
// read from the beginning after each step, so they must stay short.
const stepsTogether = 200

func newSharingModel(h *fixture, random *rand.Rand) *sharingModel {
	tb := &sharingModel{fixture: h, rand: random, expenses: map[string]*modelExpense{}}
	for range 5 {
		u := storetest.User(h.t, h.store)
		tb.people = append(tb.people, &person{User: u, follow: map[string]visibleExpense{}, pulled: map[string]visibleExpense{}})
	}
	return tb
}

func (t *sharingModel) pick() (int, *person) {
	i := t.rand.IntN(len(t.people))
	return i, t.people[i]
}

// target is one of the last expenses, perhaps gone, or none.
func (t *sharingModel) target() string {
	if len(t.ids) == 0 || t.rand.IntN(20) == 0 {
		return storetest.ID()
	}
	recent := t.ids[max(0, len(t.ids)-8):]
	return recent[t.rand.IntN(len(recent))]
}

func (t *sharingModel) words() string {
	return fmt.Sprintf("words of %d-%d", t.step, t.rand.IntN(1<<20))
}

func (t *sharingModel) act() {
	switch t.rand.IntN(12) {
	case 0, 1:
		t.create()
	case 2, 3, 4:
		t.share()
	case 5:
		t.unshare()
	case 6, 7:
		t.update()
	case 8:
		t.delete()
	case 9:
		t.comment()
	default:
		t.batch()
	}
}

// want compares a refusal with the rules.
func (t *sharingModel) want(what string, err error, kind models.Kind) {
	t.t.Helper()
	switch {
	case kind == models.Internal && err != nil:
		t.t.Errorf("%s: %v", what, err)
	case kind != models.Internal && models.KindOf(err) != kind:
		t.t.Errorf("%s: %v, want kind %d", what, err, kind)
	}
}

// allowed is what the rules say to somebody who wants what may needs: Internal
// stands for yes.
func (t *sharingModel) allowed(d *modelExpense, person int, may ...models.Role) models.Kind {
	switch role := d.role(person); {
	case role == models.NoRole:
		return models.NotFound
	case !slices.Contains(may, role):
		return models.Forbidden
	}
	return models.Internal
}

func (t *sharingModel) create() {
	i, p := t.pick()
	d := &modelExpense{
		Words: t.words(), Amount: models.Money(1+t.rand.Int64N(50)) * 1_000_000, Version: 1, owner: i,
		members: map[int]models.Role{},
	}
	e, err := t.ledger.CreateExpense(t.t.Context(), p.ID, ledger.ExpenseCreation{
		Draft: models.Draft{Description: d.Words, Amount: d.Amount, Category: "food", Type: "expense"},
	})
	t.want("create", err, models.Internal)
	t.add(e.ID, d)
}

func (t *sharingModel) add(id string, d *modelExpense) {
	d.ID = id
	t.expenses[id] = d
	t.ids = append(t.ids, id)
}

func (t *sharingModel) share() {
	i, p := t.pick()
	with, q := t.pick()
	id, role := t.target(), models.RoleViewer
	if t.rand.IntN(2) == 0 {
		role = models.RoleEditor
	}
	if d := t.expenses[id]; d != nil && t.rand.IntN(3) > 0 {
		i, p = d.owner, t.people[d.owner]
	}
	d := t.expenses[id]
	kind := t.allowed(d, i, models.RoleOwner)
	if kind == models.Internal && with == d.owner {
		kind = models.Invalid
	}
	err := storetest.Share(t.t, t.store, t.ledger, p.ID, id, q.User, role, models.Author{})
	t.want("share", err, kind)
	if err == nil {
		d.members[with] = role
	}
}

func (t *sharingModel) unshare() {
	i, p := t.pick()
	member, q := t.pick()
	id := t.target()
	d := t.expenses[id]
	kind := t.allowed(d, i, models.RoleOwner)
	if kind == models.Forbidden && member == i {
		kind = models.Internal
	}
	if kind == models.Internal && d.members[member] == models.NoRole {
		kind = models.NotFound
	}
	_, err := t.ledger.Unshare(t.t.Context(), p.ID, id, q.ID, models.Author{})
	t.want("unshare", err, kind)
	if err == nil {
		delete(d.members, member)
	}
}

func (t *sharingModel) update() {
	i, p := t.pick()
	id, words := t.target(), t.words()
	d := t.expenses[id]
	amount := models.Money(1+t.rand.Int64N(50)) * 1_000_000
	kind := t.allowed(d, i, models.RoleOwner, models.RoleEditor)
	var seen *int64
	if kind == models.Internal && t.rand.IntN(4) == 0 {
		seen, kind = ptr(d.Version-1), models.Conflict
	}
	_, err := t.ledger.UpdateExpense(t.t.Context(), p.ID, id, seen, models.Patch{Description: &words, Amount: &amount},
		models.Author{})
	t.want("update", err, kind)
	if err == nil {
		d.Words, d.Amount, d.Version = words, amount, d.Version+1
	}
}

func (t *sharingModel) delete() {
	i, p := t.pick()
	id := t.target()
	_, err := t.ledger.DeleteExpense(t.t.Context(), p.ID, id, models.Author{})
	t.want("delete", err, t.allowed(t.expenses[id], i, models.RoleOwner))
	if err == nil {
		delete(t.expenses, id)
	}
}

func (t *sharingModel) comment() {
	i, p := t.pick()
	id := t.target()
	_, err := t.ledger.Comment(t.t.Context(), p.ID, id, t.words())
	t.want("comment", err, t.allowed(t.expenses[id], i, models.RoleOwner, models.RoleEditor, models.RoleViewer))
	if err == nil {
		t.expenses[id].comments++
	}
}

// batch sends what a device queued about some expenses.
func (t *sharingModel) batch() {
	i, p := t.pick()
	var ops []models.Operation
	var want []models.Status
	for range 1 + t.rand.IntN(5) {
		t.clock++
		op := models.Operation{
			ResourceType: "expense", DeviceID: "phone of " + p.ID, Timestamp: ptr(nine.UnixMilli() + t.clock),
			ResourceID: t.target(),
		}
		switch t.rand.IntN(3) {
		case 0:
			want = append(want, t.queueCreate(i, &op))
		case 1:
			want = append(want, t.queueUpdate(i, &op))
		default:
			want = append(want, t.queueDelete(i, &op))
		}
		ops = append(ops, op)
	}
	results, err := t.Apply(t.t.Context(), p.ID, models.Author{}, ops)
	t.want("batch", err, models.Internal)
	for n := range results {
		if ops[n].Action == models.Create && results[n].Expense != nil {
			d := t.expenses[ops[n].ResourceID]
			delete(t.expenses, ops[n].ResourceID)
			t.add(results[n].Expense.ID, d)
		}
	}
	if diff := cmp.Diff(want, statuses(results)); diff != "" {
		t.t.Errorf("batch of person %d (-want +got):\n%s\n%+v", i, diff, ops)
	}
}

func (t *sharingModel) queueCreate(i int, op *models.Operation) models.Status {
	d := &modelExpense{Words: t.words(), Amount: 2_000_000, Version: 1, owner: i, members: map[int]models.Role{}}
	op.Action, op.ResourceID = models.Create, fmt.Sprint("temp_", nine.UnixMilli()+t.clock)
	op.Data = json.RawMessage(fmt.Sprintf(`{"description":%q,"amount":2,"category":"food","type":"expense"}`, d.Words))
	t.expenses[op.ResourceID] = d // by this name until the answer tells the other
	return models.StatusCreated
}

func (t *sharingModel) queueUpdate(i int, op *models.Operation) models.Status {
	words := t.words()
	op.Action, op.Data = models.Update, json.RawMessage(fmt.Sprintf(`{"description":%q}`, words))
	d := t.expenses[op.ResourceID]
	switch t.allowed(d, i, models.RoleOwner, models.RoleEditor) {
	case models.Internal:
		d.Words, d.Version = words, d.Version+1
		return models.StatusUpdated
	case models.Forbidden:
		return models.StatusParked
	}
	return models.StatusNotFound
}

func (t *sharingModel) queueDelete(i int, op *models.Operation) models.Status {
	op.Action = models.Delete
	d := t.expenses[op.ResourceID]
	switch t.allowed(d, i, models.RoleOwner) {
	case models.Internal:
		delete(t.expenses, op.ResourceID)
		return models.StatusDeleted
	case models.Forbidden:
		return models.StatusParked
	}
	return models.StatusNotFound
}

// view is all that a person may see.
func (t *sharingModel) view(i int) map[string]visibleExpense {
	all := map[string]visibleExpense{}
	for id, d := range t.expenses {
		s := visibleExpense{Words: d.Words, Amount: d.Amount, Version: d.Version}
		switch role := d.role(i); role {
		case models.NoRole:
			continue
		case models.RoleOwner:
			s.Shares = int64(len(d.members))
		default:
			s.Role, s.SharedBy = role, t.people[d.owner].Name
		}
		all[id] = s
	}
	return all
}

// check holds what every device knows now, and everything that one person can
// read, against the reference.
func (t *sharingModel) check() {
	for i, p := range t.people {
		t.catchUp(p)
		t.same(i, "a device that follows", t.view(i), p.follow)
	}
	i, p := t.pick()
	t.checkReads(i, p)
	t.checkFromTheBeginning(i, p)
	t.checkParked(i, p)
}

func (t *sharingModel) same(i int, what string, want, got map[string]visibleExpense) {
	if diff := cmp.Diff(want, got); diff != "" {
		t.t.Errorf("person %d, %s (-may see +sees):\n%s", i, what, diff)
	}
}

func (t *sharingModel) catchUp(p *person) {
	changes, err := t.store.Changes(t.t.Context(), p.ID, p.head, 10_000)
	t.want("changes", err, models.Internal)
	for _, c := range changes {
		p.head = c.Seq
		apply(p.follow, c)
	}
}

func apply(view map[string]visibleExpense, c models.Change) {
	switch c.Kind {
	case models.ExpenseCreated, models.ExpenseUpdated:
		view[c.EntityID] = visible(c.Expense)
	case models.ExpenseDeleted:
		delete(view, c.EntityID)
	case models.ShareChanged:
		s := view[c.EntityID]
		s.Shares = int64(len(c.Shares))
		view[c.EntityID] = s
	}
}

func (t *sharingModel) checkReads(i int, p *person) {
	ctx, want := t.t.Context(), t.view(i)
	read := func(what string, fn func(add func(models.Expense) error) error) {
		got := map[string]visibleExpense{}
		t.want(what, fn(func(e models.Expense) error { got[e.ID] = visible(e); return nil }), models.Internal)
		t.same(i, what, want, got)
	}
	read("list", func(add func(models.Expense) error) error { return t.store.EachExpense(ctx, p.ID, add) })
	read("pages", func(add func(models.Expense) error) error { return t.pages(p, len(want), add) })
	read("snapshot", func(add func(models.Expense) error) error {
		_, err := t.Snapshot(ctx, p.ID, func(_ int64, e models.Expense) error { return add(e) })
		return err
	})
	next, err := t.Pull(ctx, p.ID, p.cursor, func(e models.Expense) error { p.pulled[e.ID] = visible(e); return nil })
	t.want("pull", err, models.Internal)
	p.cursor = next
	// a pull tells of no deletion
	maps.DeleteFunc(p.pulled, func(id string, _ visibleExpense) bool { _, has := want[id]; return !has })
	t.same(i, "pull", want, p.pulled)
	t.checkEach(i, p, want)
}

// pages reads the list two by two.
func (t *sharingModel) pages(p *person, total int, add func(models.Expense) error) error {
	for page := 1; ; page++ {
		es, n, err := t.store.Expenses(t.t.Context(), p.ID, page, 2)
		if err != nil || len(es) == 0 {
			return err
		}
		if int(n) != total {
			return fmt.Errorf("%d in all, want %d", n, total)
		}
		for _, e := range es {
			_ = add(e)
		}
	}
}

// checkEach asks for single expenses, and what is told beside them.
func (t *sharingModel) checkEach(i int, p *person, want map[string]visibleExpense) {
	ctx, spent := t.t.Context(), models.Sum{}
	for _, id := range t.ids[max(0, len(t.ids)-8):] {
		d := t.expenses[id]
		kind := t.allowed(d, i, models.RoleOwner, models.RoleEditor, models.RoleViewer)
		e, err := t.store.ExpenseOf(ctx, p.ID, id)
		t.want("one", err, kind)
		if err == nil && visible(e) != want[id] {
			t.t.Errorf("person %d sees %+v", i, e)
		}
		right, err := t.ledger.RightTo(ctx, p.ID, id)
		t.want("right", err, kind)
		if right.Role != d.role(i) {
			t.t.Errorf("person %d is %q", i, right.Role)
		}
		_, n, err := t.ledger.Activities(ctx, p.ID, id, 1, 10)
		t.want("activities", err, kind)
		if err == nil && int(n) != d.comments {
			t.t.Errorf("%d comments, want %d", n, d.comments)
		}
		_, err = t.ledger.Shares(ctx, p.ID, id)
		t.want("shares", err, kind)
	}
	for _, d := range t.expenses {
		if d.owner == i {
			spent = spent.Add(d.Amount)
		}
	}
	if u, err := t.store.UserByID(ctx, p.ID); err != nil || u.Totals.Of("").Expense.Cmp(spent) != 0 {
		t.t.Errorf("person %d has spent %v, %v, want %s", i, u.Totals, err, spent)
	}
}

// checkFromTheBeginning lets a device without data catch up.
func (t *sharingModel) checkFromTheBeginning(i int, p *person) {
	changes, err := t.store.Changes(t.t.Context(), p.ID, 0, 100_000)
	t.want("changes", err, models.Internal)
	view := map[string]visibleExpense{}
	for n, c := range changes {
		if c.Seq != int64(n+1) {
			t.t.Errorf("person %d: change %d is of sequence %d", i, n+1, c.Seq)
		}
		if d := t.expenses[c.EntityID]; c.Expense.UserID != "" && c.Expense.UserID != p.ID && d.role(i) == models.NoRole {
			t.t.Errorf("person %d: the log tells of %+v", i, c.Expense)
		}
		apply(view, c)
	}
	t.same(i, "a new device", t.view(i), view)
}

func (t *sharingModel) checkParked(i int, p *person) {
	parked, err := t.Pending(t.t.Context(), p.ID)
	t.want("pending", err, models.Internal)
	for _, op := range parked {
		for _, e := range []*models.Expense{op.Result.Expense, op.Result.Current} {
			if e != nil && t.expenses[e.ID].role(i) == models.NoRole {
				t.t.Errorf("person %d: a parked operation tells of %+v", i, e)
			}
		}
	}
	if t.step%20 == 0 && len(parked) > 0 { // a person tries again; the rules are the same
		op := parked[t.rand.IntN(len(parked))]
		if err := t.Discard(t.t.Context(), p.ID, op.ID); err != nil {
			t.t.Errorf("discard: %v", err)
		}
	}
}

// A replay after the end of access does not show the expense.
func TestAReplayShowsNothingToWhichTheRightHasEnded(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, bob := h.t.Context(), storetest.User(h.t, h.store)
		id := h.apply(create(0, lunch))[0].Expense.ID
		if err := storetest.Share(h.t, h.store, h.ledger, h.user.ID, id, bob, models.RoleEditor, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		op := of("bob's phone", update(1, id, `{"notes":"mine"}`))
		old := of("bob's phone", update(2, id, `{"notes":"mine too","version":1}`))
		rs, err := h.Apply(ctx, bob.ID, models.Author{}, []models.Operation{op, old})
		if err != nil || rs[0].Expense == nil || rs[1].Current == nil {
			h.t.Fatalf("edit: %+v, %v", rs, err)
		}
		if _, err := h.ledger.Unshare(ctx, h.user.ID, id, bob.ID, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		rs, err = h.Apply(ctx, bob.ID, models.Author{}, []models.Operation{
			op, old,
			of("bob's phone", update(3, id, `{"notes":"late"}`)), of("bob's phone", create(4, lunch)),
		})
		if err != nil || rs[0].Expense != nil || rs[1].Current != nil {
			h.t.Errorf("replayed: %+v, %v", rs, err)
		}
		h.wantStatuses(rs, models.StatusUpdated, models.StatusParked, models.StatusNotFound, models.StatusCreated)
		if rs[2].Error != "Expense not found" {
			h.t.Errorf("parked because %q", rs[2].Error)
		}
		parked, err := h.Pending(ctx, bob.ID)
		if err != nil || len(parked) != 2 || parked[0].Result.Current != nil {
			h.t.Errorf("pending: %+v, %v", parked, err)
		}
		if got := h.list()[0]; got.Notes != "mine" || got.Version != 2 {
			h.t.Errorf("stored %+v", got)
		}
		if err := storetest.Share(h.t, h.store, h.ledger, h.user.ID, id, bob, models.RoleEditor, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		r, err := h.Retry(ctx, bob.ID, models.Author{}, parked[1].ID, nil)
		if err != nil || r.Status != models.StatusUpdated || h.list()[0].Notes != "late" {
			h.t.Errorf("with the right again: %+v, %v", r, err)
		}
	})
}

// Access ends in the middle of a batch: operations before are applied, later ones are
// parked.
func TestARightEndsWhileABatchIsUnderWay(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, bob := h.t.Context(), storetest.User(h.t, h.store)
		id := h.apply(create(0, lunch))[0].Expense.ID
		if err := storetest.Share(h.t, h.store, h.ledger, h.user.ID, id, bob, models.RoleEditor, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		var ops []models.Operation
		for i := range 30 {
			ops = append(ops, of("bob's phone", update(int64(i), id, fmt.Sprintf(`{"notes":"%d"}`, i))))
		}
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := h.ledger.Unshare(ctx, h.user.ID, id, bob.ID, models.Author{}); err != nil {
				h.t.Errorf("unshare: %v", err)
			}
		})
		var got []models.Status
		both.Go(func() {
			rs, err := h.Apply(ctx, bob.ID, models.Author{}, ops)
			if err != nil {
				h.t.Errorf("batch: %v", err)
			}
			got = statuses(rs)
		})
		both.Wait()
		done := slices.Index(got, models.StatusNotFound)
		if done < 0 {
			done = len(got)
		}
		if slices.Contains(got[done:], models.StatusUpdated) {
			h.t.Errorf("applied after the right had ended: %v", got)
		}
		if e := h.list()[0]; e.Version != int64(1+done) {
			h.t.Errorf("version %d after %d edits", e.Version, done)
		}
		told := slices.DeleteFunc(h.kinds(), func(k models.ChangeKind) bool { return k != models.ExpenseUpdated })
		if len(told) != done {
			h.t.Errorf("the owner's log has %d edits of %d", len(told), done)
		}
	})
}
