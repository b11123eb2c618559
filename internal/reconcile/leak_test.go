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
	"expenseflow/models"
)

var (
	shareSteps = flag.Int("shares.steps", 400, "random steps of users who share, on each engine")
	shareSeed  = flag.Uint64("shares.seed", 1, "where their randomness begins")
)

// A dish is an expense as the reference knows it.
type dish struct {
	ID, Words string // the words of each state are its own
	Amount    models.Money
	Version   int64
	owner     int
	members   map[int]models.Role
	comments  int
}

func (d *dish) role(person int) models.Role {
	switch {
	case d == nil:
		return models.NoRole
	case d.owner == person:
		return models.RoleOwner
	}
	return d.members[person]
}

// A served is a dish as somebody sees it.
type served struct {
	Words    string
	Amount   models.Money
	Version  int64
	Role     models.Role
	SharedBy string
	Shares   int64
}

func serve(e models.Expense) served {
	return served{e.Description, e.Amount, e.Version, e.Role, e.SharedBy, e.Shares}
}

// A person is a user with a device that follows their log and one that pulls.
type person struct {
	models.User
	head   int64
	follow map[string]served
	cursor time.Time
	pulled map[string]served
}

// A table is people who share, and the reference.
type table struct {
	*house
	rand   *rand.Rand
	people []*person
	dishes map[string]*dish
	ids    []string // of all dishes ever
	step   int
	clock  int64
}

// TestNobodySeesWhatIsNotTheirs lets users do at random what they may and may not,
// by every door, and holds after each step what each of them can read against a
// reference: lists, pages, snapshots, pulls, single expenses, the log from where a
// device stood and from its beginning, parked operations, comments, balances.
func TestNobodySeesWhatIsNotTheirs(t *testing.T) {
	each(t, func(h *house) {
		random := rand.New(rand.NewPCG(*shareSeed, 0))
		var tb *table
		for step := range *shareSteps {
			if step%stepsTogether == 0 {
				tb = newTable(h, random)
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

// stepsTogether is after how many steps other people sit down: a log that is read
// from its beginning after each step had better not be long.
const stepsTogether = 200

func newTable(h *house, random *rand.Rand) *table {
	tb := &table{house: h, rand: random, dishes: map[string]*dish{}}
	for range 5 {
		u := storetest.User(h.t, h.store)
		tb.people = append(tb.people, &person{User: u, follow: map[string]served{}, pulled: map[string]served{}})
	}
	return tb
}

func (t *table) pick() (int, *person) {
	i := t.rand.IntN(len(t.people))
	return i, t.people[i]
}

// target is one of the last dishes, perhaps gone, or none.
func (t *table) target() string {
	if len(t.ids) == 0 || t.rand.IntN(20) == 0 {
		return storetest.ID()
	}
	recent := t.ids[max(0, len(t.ids)-8):]
	return recent[t.rand.IntN(len(recent))]
}

func (t *table) words() string { return fmt.Sprintf("words of %d-%d", t.step, t.rand.IntN(1<<20)) }

func (t *table) act() {
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

// want holds a refusal against what the rules say.
func (t *table) want(what string, err error, kind models.Kind) {
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
func (t *table) allowed(d *dish, person int, may ...models.Role) models.Kind {
	switch role := d.role(person); {
	case role == models.NoRole:
		return models.NotFound
	case !slices.Contains(may, role):
		return models.Forbidden
	}
	return models.Internal
}

func (t *table) create() {
	i, p := t.pick()
	d := &dish{Words: t.words(), Amount: models.Money(1+t.rand.Int64N(50)) * 1_000_000, Version: 1, owner: i, members: map[int]models.Role{}}
	e, err := t.ledger.CreateExpense(t.t.Context(), p.ID, ledger.Creation{
		Draft: models.Draft{Description: d.Words, Amount: d.Amount, Category: "food", Type: "expense"},
	})
	t.want("create", err, models.Internal)
	t.serveUp(e.ID, d)
}

func (t *table) serveUp(id string, d *dish) {
	d.ID = id
	t.dishes[id] = d
	t.ids = append(t.ids, id)
}

func (t *table) share() {
	i, p := t.pick()
	with, q := t.pick()
	id, role := t.target(), models.RoleViewer
	if t.rand.IntN(2) == 0 {
		role = models.RoleEditor
	}
	if d := t.dishes[id]; d != nil && t.rand.IntN(3) > 0 {
		i, p = d.owner, t.people[d.owner]
	}
	d := t.dishes[id]
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

func (t *table) unshare() {
	i, p := t.pick()
	member, q := t.pick()
	id := t.target()
	d := t.dishes[id]
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

func (t *table) update() {
	i, p := t.pick()
	id, words := t.target(), t.words()
	d := t.dishes[id]
	amount := models.Money(1+t.rand.Int64N(50)) * 1_000_000
	kind := t.allowed(d, i, models.RoleOwner, models.RoleEditor)
	var seen *int64
	if kind == models.Internal && t.rand.IntN(4) == 0 {
		seen, kind = ptr(d.Version-1), models.Conflict
	}
	_, err := t.ledger.UpdateExpense(t.t.Context(), p.ID, id, seen, models.Patch{Description: &words, Amount: &amount}, models.Author{})
	t.want("update", err, kind)
	if err == nil {
		d.Words, d.Amount, d.Version = words, amount, d.Version+1
	}
}

func (t *table) delete() {
	i, p := t.pick()
	id := t.target()
	_, err := t.ledger.DeleteExpense(t.t.Context(), p.ID, id, models.Author{})
	t.want("delete", err, t.allowed(t.dishes[id], i, models.RoleOwner))
	if err == nil {
		delete(t.dishes, id)
	}
}

func (t *table) comment() {
	i, p := t.pick()
	id := t.target()
	_, err := t.ledger.Comment(t.t.Context(), p.ID, id, t.words())
	t.want("comment", err, t.allowed(t.dishes[id], i, models.RoleOwner, models.RoleEditor, models.RoleViewer))
	if err == nil {
		t.dishes[id].comments++
	}
}

// batch sends what a device queued about some dishes.
func (t *table) batch() {
	i, p := t.pick()
	var ops []models.Operation
	var want []models.Status
	for range 1 + t.rand.IntN(5) {
		t.clock++
		op := models.Operation{ResourceType: "expense", DeviceID: "phone of " + p.ID, Timestamp: ptr(nine.UnixMilli() + t.clock), ResourceID: t.target()}
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
			d := t.dishes[ops[n].ResourceID]
			delete(t.dishes, ops[n].ResourceID)
			t.serveUp(results[n].Expense.ID, d)
		}
	}
	if diff := cmp.Diff(want, statuses(results)); diff != "" {
		t.t.Errorf("batch of person %d (-want +got):\n%s\n%+v", i, diff, ops)
	}
}

func (t *table) queueCreate(i int, op *models.Operation) models.Status {
	d := &dish{Words: t.words(), Amount: 2_000_000, Version: 1, owner: i, members: map[int]models.Role{}}
	op.Action, op.ResourceID = models.Create, fmt.Sprint("temp_", nine.UnixMilli()+t.clock)
	op.Data = json.RawMessage(fmt.Sprintf(`{"description":%q,"amount":2,"category":"food","type":"expense"}`, d.Words))
	t.dishes[op.ResourceID] = d // by this name until the answer tells the other
	return models.StatusCreated
}

func (t *table) queueUpdate(i int, op *models.Operation) models.Status {
	words := t.words()
	op.Action, op.Data = models.Update, json.RawMessage(fmt.Sprintf(`{"description":%q}`, words))
	d := t.dishes[op.ResourceID]
	switch t.allowed(d, i, models.RoleOwner, models.RoleEditor) {
	case models.Internal:
		d.Words, d.Version = words, d.Version+1
		return models.StatusUpdated
	case models.Forbidden:
		return models.StatusParked
	}
	return models.StatusNotFound
}

func (t *table) queueDelete(i int, op *models.Operation) models.Status {
	op.Action = models.Delete
	d := t.dishes[op.ResourceID]
	switch t.allowed(d, i, models.RoleOwner) {
	case models.Internal:
		delete(t.dishes, op.ResourceID)
		return models.StatusDeleted
	case models.Forbidden:
		return models.StatusParked
	}
	return models.StatusNotFound
}

// view is all that a person may see.
func (t *table) view(i int) map[string]served {
	all := map[string]served{}
	for id, d := range t.dishes {
		s := served{Words: d.Words, Amount: d.Amount, Version: d.Version}
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
func (t *table) check() {
	for i, p := range t.people {
		t.catchUp(p)
		t.same(i, "a device that follows", t.view(i), p.follow)
	}
	i, p := t.pick()
	t.checkReads(i, p)
	t.checkFromTheBeginning(i, p)
	t.checkParked(i, p)
}

func (t *table) same(i int, what string, want, got map[string]served) {
	if diff := cmp.Diff(want, got); diff != "" {
		t.t.Errorf("person %d, %s (-may see +sees):\n%s", i, what, diff)
	}
}

func (t *table) catchUp(p *person) {
	changes, err := t.store.Changes(t.t.Context(), p.ID, p.head, 10_000)
	t.want("changes", err, models.Internal)
	for _, c := range changes {
		p.head = c.Seq
		apply(p.follow, c)
	}
}

func apply(view map[string]served, c models.Change) {
	switch c.Kind {
	case models.ExpenseCreated, models.ExpenseUpdated:
		view[c.EntityID] = serve(c.Expense)
	case models.ExpenseDeleted:
		delete(view, c.EntityID)
	case models.ShareChanged:
		s := view[c.EntityID]
		s.Shares = int64(len(c.Shares))
		view[c.EntityID] = s
	}
}

func (t *table) checkReads(i int, p *person) {
	ctx, want := t.t.Context(), t.view(i)
	read := func(what string, fn func(add func(models.Expense) error) error) {
		got := map[string]served{}
		t.want(what, fn(func(e models.Expense) error { got[e.ID] = serve(e); return nil }), models.Internal)
		t.same(i, what, want, got)
	}
	read("list", func(add func(models.Expense) error) error { return t.store.EachExpense(ctx, p.ID, add) })
	read("pages", func(add func(models.Expense) error) error { return t.pages(p, len(want), add) })
	read("snapshot", func(add func(models.Expense) error) error {
		_, err := t.Snapshot(ctx, p.ID, func(_ int64, e models.Expense) error { return add(e) })
		return err
	})
	next, err := t.Pull(ctx, p.ID, p.cursor, func(e models.Expense) error { p.pulled[e.ID] = serve(e); return nil })
	t.want("pull", err, models.Internal)
	p.cursor = next
	maps.DeleteFunc(p.pulled, func(id string, _ served) bool { _, has := want[id]; return !has }) // a pull tells of no deletion
	t.same(i, "pull", want, p.pulled)
	t.checkEach(i, p, want)
}

// pages reads the list two by two.
func (t *table) pages(p *person, total int, add func(models.Expense) error) error {
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

// checkEach asks for single dishes, and what is told beside them.
func (t *table) checkEach(i int, p *person, want map[string]served) {
	ctx, spent := t.t.Context(), models.Sum{}
	for _, id := range t.ids[max(0, len(t.ids)-8):] {
		d := t.dishes[id]
		kind := t.allowed(d, i, models.RoleOwner, models.RoleEditor, models.RoleViewer)
		e, err := t.store.ExpenseOf(ctx, p.ID, id)
		t.want("one", err, kind)
		if err == nil && serve(e) != want[id] {
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
	for _, d := range t.dishes {
		if d.owner == i {
			spent = spent.Add(d.Amount)
		}
	}
	if u, err := t.store.UserByID(ctx, p.ID); err != nil || u.Totals.Of("").Expense.Cmp(spent) != 0 {
		t.t.Errorf("person %d has spent %v, %v, want %s", i, u.Totals, err, spent)
	}
}

// checkFromTheBeginning has a device catch up that knows nothing.
func (t *table) checkFromTheBeginning(i int, p *person) {
	changes, err := t.store.Changes(t.t.Context(), p.ID, 0, 100_000)
	t.want("changes", err, models.Internal)
	view := map[string]served{}
	for n, c := range changes {
		if c.Seq != int64(n+1) {
			t.t.Errorf("person %d: change %d is of sequence %d", i, n+1, c.Seq)
		}
		if d := t.dishes[c.EntityID]; c.Expense.UserID != "" && c.Expense.UserID != p.ID && d.role(i) == models.NoRole {
			t.t.Errorf("person %d: the log tells of %+v", i, c.Expense)
		}
		apply(view, c)
	}
	t.same(i, "a new device", t.view(i), view)
}

func (t *table) checkParked(i int, p *person) {
	parked, err := t.Pending(t.t.Context(), p.ID)
	t.want("pending", err, models.Internal)
	for _, op := range parked {
		for _, e := range []*models.Expense{op.Result.Expense, op.Result.Current} {
			if e != nil && t.dishes[e.ID].role(i) == models.NoRole {
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

// What was replayed after the right ended tells nothing of the expense.
func TestAReplayShowsNothingToWhichTheRightHasEnded(t *testing.T) {
	each(t, func(h *house) {
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
		rs, err = h.Apply(ctx, bob.ID, models.Author{}, []models.Operation{op, old, of("bob's phone", update(3, id, `{"notes":"late"}`)), of("bob's phone", create(4, lunch))})
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

// The right ends in the middle of a batch: what came before counts, what comes
// after is parked, and nothing is in between.
func TestARightEndsWhileABatchIsUnderWay(t *testing.T) {
	each(t, func(h *house) {
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
