package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"expenseflow/internal/testneed"
)

const operatorToken = "the token of whoever runs it"

// An eventFixture is what is needed to make a socket hear everything.
type eventFixture struct {
	a             *account
	n             *node
	page          eventPage
	phone, laptop *device // the laptop asks for batches
	all           []*device
	answers       map[string]json.RawMessage // by what was said
}

// openAs connects a device that says of itself what auth has beside the token.
func (n *node) openAs(t *testing.T, a *account, auth map[string]any) *device {
	t.Helper()
	auth["token"] = a.Token
	options := transports[1].options()
	options["auth"] = auth
	d := n.open(t, a.p.url(), options)
	d.await(t, "connect", 1)
	return d
}

// What docs/events.md and static/expense-events.d.ts say is what a socket says
// and hears: no more, no less, and of the same form.
func TestEventsPageSaysWhatIsHeard(t *testing.T) {
	page, err := theEventPage()
	if err != nil {
		t.Fatal(err)
	}
	p := startRaced(t, "ADMIN_TOKEN="+operatorToken, "NOTIFY_EXPENSES=true", "LOW_BALANCE_THRESHOLD=100")
	a, n := register(t, p), startNode(t)
	s := &eventFixture{a: a, n: n, page: page, answers: map[string]json.RawMessage{}}
	s.phone = n.openAs(t, a, map[string]any{"deviceId": a.phone()})
	s.laptop = n.openAs(t, a, map[string]any{"deviceId": a.device("laptop"), "features": []string{"batch"}})
	s.all = []*device{s.phone, s.laptop, s.loud(t, n), s.late(t, n)}

	s.shareEverything(t, n)
	s.sayEverything(t)
	s.spendEverything(t)
	s.queueEverything(t)
	s.parkTooMuch(t, n)
	s.importAFile(t)
	s.askEverything(t)
	s.discardOne(t)
	s.a.call(t, http.MethodPatch, "/api/user/settings",
		from(s.a.phone(), map[string]any{"currency": "EUR", "timeZone": "Europe/Berlin"})).want(t, http.StatusOK)
	call(t, http.MethodPost, p.url()+"/api/admin/status", operatorToken,
		map[string]any{"status": "degraded", "message": "back at noon"}).want(t, http.StatusOK)

	s.checkHeard(t)
	s.checkAnswers(t)
	s.checkTypes(t)
}

// loud is a device that says too much.
func (s *eventFixture) loud(t *testing.T, n *node) *device {
	d := n.openAs(t, s.a, map[string]any{})
	for range 55 {
		d.emit(t, "dashboard:unsubscribe")
	}
	return d
}

// late is a device whose token runs out.
func (s *eventFixture) late(t *testing.T, n *node) *device {
	expires := time.Now().Add(4 * second).Truncate(second)
	return n.openAs(t, s.a.with(signed(t, jwt.MapClaims{"id": s.a.ID, "iat": time.Now().Unix(), "exp": expires.Unix()})),
		map[string]any{})
}

// say says what the page has as its example, changed as it must be.
func (s *eventFixture) say(t *testing.T, name string, change func(map[string]any)) json.RawMessage {
	t.Helper()
	var args []any
	if example := s.page[said+name].example; example != nil {
		o := object(t, example)
		change(o)
		args = []any{o}
	}
	s.answers[name] = s.phone.ask(t, name, args...)[0]
	return s.answers[name]
}

// shareEverything has another user hear of an expense of this one's.
func (s *eventFixture) shareEverything(t *testing.T, n *node) {
	other := register(t, s.a.p)
	s.all = append(s.all, n.openAs(t, other, map[string]any{}))
	e := s.a.create(t, "shared", s.a.phone())
	s.a.share(t, e.ID, other)
	s.a.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(s.a.phone(), draft("edited"))).want(t, http.StatusOK)
	s.all[len(s.all)-1].hear(t, 1, "expense_updated")
}

// sayEverything says all that a client may, and some of it wrongly.
func (s *eventFixture) sayEverything(t *testing.T) {
	s.say(t, "auth:refresh", func(o map[string]any) { o["token"] = s.a.Token })
	var created struct{ Expense expense }
	answer := s.say(t, "expense:create",
		func(o map[string]any) {
			o["merchant"], o["notes"], o["currency"], o["tags"] = "Corner", "with Bob", "eur", []string{"work"}
		})
	if err := json.Unmarshal(answer, &created); err != nil {
		t.Fatal(err)
	}
	id := func(o map[string]any) { o["id"] = created.Expense.ID }
	s.say(t, "expense:update", id)
	s.phone.ask(t, "expense:update", map[string]any{"id": created.Expense.ID, "amount": 5, "version": 1}) // an old version
	s.phone.ask(t, "expense:create", map[string]any{})
	s.meetEverybody(t, created.Expense.ID)
	s.say(t, "expense:delete", id)
	s.say(t, "dashboard:subscribe", func(map[string]any) {})
	s.say(t, "dashboard:unsubscribe", nil)
}

// meetEverybody shares an expense, has somebody change it, and meets in its room.
func (s *eventFixture) meetEverybody(t *testing.T, expenseID string) {
	carol := register(t, s.a.p)
	hers := s.n.openAs(t, carol, map[string]any{"deviceId": carol.phone()})
	s.all = append(s.all, hers)
	room := func(o map[string]any) { o["room"] = "expense:" + expenseID }
	s.say(t, "room:join", room)
	s.a.share(t, expenseID, carol)
	s.meetAgain(t, carol)
	carol.call(t, http.MethodPut, "/api/expenses/"+expenseID, from(carol.phone(), draft("shared"))).want(t, http.StatusOK)
	hers.ask(t, "room:join", map[string]any{"room": "expense:" + expenseID})
	s.laptop.ask(t, "room:join", map[string]any{"room": "expense:" + expenseID}) // of one's own devices the names are told
	s.say(t, "presence:list", room)
	s.say(t, "room:activity", room)
	hers.ask(t, "room:activity", map[string]any{"room": "expense:" + expenseID, "type": "typing"})
	for _, d := range []*device{hers, s.laptop} {
		d.ask(t, "room:leave", map[string]any{"room": "expense:" + expenseID})
	}
	s.say(t, "room:leave", room)
}

// meetAgain has carol offer an expense, be blocked and let in again.
func (s *eventFixture) meetAgain(t *testing.T, carol *account) {
	e := carol.create(t, "offered", carol.phone())
	carol.share(t, e.ID, s.a)
	carol.call(t, http.MethodPost, "/api/expenses/"+e.ID+"/share",
		map[string]any{"email": "nobody@example.test", "role": "viewer"}).want(t, http.StatusAccepted)
	for _, method := range []string{http.MethodPost, http.MethodDelete} {
		s.a.call(t, method, "/api/people/"+carol.ID+"/block", from(s.a.phone(), map[string]any{})).want(t, http.StatusOK)
	}
}

// spendEverything has a budget rise, the balance fall, and notifications read.
func (s *eventFixture) spendEverything(t *testing.T) {
	var budget struct {
		ID string `json:"_id"`
	}
	body := from(s.a.phone(), map[string]any{"name": "Food", "category": "food", "amount": 300})
	s.a.call(t, http.MethodPost, "/api/budgets", body).want(t, http.StatusCreated).into(t, &budget)
	body["amount"] = 350
	s.a.call(t, http.MethodPut, "/api/budgets/"+budget.ID, body).want(t, http.StatusOK)
	income := from(s.a.phone(), map[string]any{"description": "Salary", "amount": 1000, "category": "salary", "type": "income"})
	s.a.call(t, http.MethodPost, "/api/expenses", income).want(t, http.StatusCreated)
	for range 2 {
		spent := from(s.a.phone(), map[string]any{"description": "Feast", "amount": 345, "category": "food", "type": "expense"})
		s.a.call(t, http.MethodPost, "/api/expenses", spent).want(t, http.StatusCreated)
	}
	s.a.call(t, http.MethodPost, "/api/expenses", from(s.a.phone(),
		map[string]any{"description": "Rent", "amount": 300, "category": "bills", "type": "expense"})).want(t, http.StatusCreated)
	s.a.call(t, http.MethodPatch, "/api/notifications/mark-all-read", nil).want(t, http.StatusOK)
	s.a.call(t, http.MethodDelete, "/api/budgets/"+budget.ID, from(s.a.phone(), map[string]any{})).want(t, http.StatusOK)
}

// queueEverything sends a large batch, some of which is parked.
func (s *eventFixture) queueEverything(t *testing.T) {
	e := s.a.create(t, "to be edited", s.a.phone())
	s.a.call(t, http.MethodPut, "/api/expenses/"+e.ID, from(s.a.phone(), draft("edited"))).want(t, http.StatusOK)
	ops := s.a.creates(60)
	ops = append(ops,
		s.a.queued("CREATE", "temp_bad", map[string]any{"description": "never valid"}),
		s.a.queued("UPDATE", e.ID, map[string]any{"amount": 7, "version": 1}))
	s.a.batch(t, ops...)
}

// parkTooMuch has somebody queue more nonsense than is kept.
func (s *eventFixture) parkTooMuch(t *testing.T, n *node) {
	other := register(t, s.a.p)
	d := n.openAs(t, other, map[string]any{"deviceId": other.phone()})
	s.all = append(s.all, d)
	var ops []operation
	for i := range 1001 {
		ops = append(ops, other.queued("CREATE", fmt.Sprintf("temp_bad_%d", i), map[string]any{"description": "never valid"}))
	}
	other.batch(t, ops...)
	d.hear(t, len(ops), "sync_error")
}

// importAFile imports a file, of which a row is parked, and undoes it.
func (s *eventFixture) importAFile(t *testing.T) {
	var made struct{ Import struct{ ID string } }
	const file = "Date,Text,Amount\n2026-01-02,Tea,-1.00\n2026-01-03,Interest,0.001\n"
	s.a.call(t, http.MethodPost, "/api/import?name=a.csv", file).want(t, http.StatusCreated).into(t, &made)
	s.a.call(t, http.MethodDelete, "/api/import/"+made.Import.ID, nil).want(t, http.StatusOK)
}

// askEverything asks for what was missed and parked, and for nonsense.
func (s *eventFixture) askEverything(t *testing.T) {
	s.say(t, "sync_request", func(map[string]any) {}) // the example's place is of another database
	s.phone.ask(t, "sync_request", map[string]any{"since": 0})
	s.phone.ask(t, "sync_request", map[string]any{"since": "nonsense"})
}

// discardOne decides on an operation that is parked.
func (s *eventFixture) discardOne(t *testing.T) {
	var parked []struct {
		ID string `json:"_id"`
	}
	s.a.call(t, http.MethodGet, "/api/sync/pending", nil).into(t, &parked)
	s.a.call(t, http.MethodDelete, "/api/sync/pending/"+parked[0].ID, nil).want(t, http.StatusOK)
}

// checkHeard wants every event of the page, with each key of it at least once.
func (s *eventFixture) checkHeard(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(s.page)) {
		e := s.page[name]
		if e.chapter == chapterSaid {
			continue
		}
		by := s.phone
		switch name {
		case "expenses:batch":
			by = s.laptop
		case "auth:expiring", "auth_expired":
			by = s.all[3]
		}
		by.hear(t, 1, name)
		for key := range e.keys {
			if !s.heardKey(name, key) {
				t.Errorf("nobody heard of %q in %s", key, name)
			}
		}
	}
	for _, d := range s.all {
		for _, e := range d.events() {
			if err := s.page.fits(e.Name, e.Args); err != nil {
				t.Error(err)
			}
		}
	}
}

func (s *eventFixture) heardKey(name, key string) bool {
	for _, d := range s.all {
		for _, e := range d.events(name) {
			if strings.Contains(string(e.Args[0]), fmt.Sprintf("%q:", key)) {
				return true
			}
		}
	}
	return false
}

// checkAnswers wants answers of the page's form.
func (s *eventFixture) checkAnswers(t *testing.T) {
	for key, e := range s.page {
		name, ok := strings.CutPrefix(key, said)
		if !ok {
			continue
		}
		if s.answers[name] == nil {
			t.Errorf("nobody said %s", name)
			continue
		}
		got, want := object(t, s.answers[name]), object(t, e.answer)
		same(t, "keys of the answer to "+name, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
		if got["ok"] != true {
			t.Errorf("%s was answered %s", name, s.answers[name])
		}
	}
}

// checkTypes compiles all that was heard, and the answers, against the types that
// clients import, and with it what must not compile: the one complaint shows that
// there would be others.
func (s *eventFixture) checkTypes(t *testing.T) {
	sources := s.traffic(t)
	sources["wrong.ts"] = typesHead + "export const wrong: Heard<'notification_count'> = [{ count: '1' }];\n"
	said := strings.TrimSpace(compile(t, sources))
	if !strings.HasPrefix(said, "wrong.ts(") || !strings.Contains(said, "TS2322") {
		t.Errorf("a payload of another type compiles: %.4000s", said)
	}
	for line := range strings.Lines(said) {
		if strings.Contains(line, ": error TS") && !strings.HasPrefix(line, "wrong.ts(") {
			t.Errorf("tsc --strict: %.4000s", line)
		}
	}
}

const typesHead = `import { io, type Socket } from 'socket.io-client';
import type { ClientToServer, ServerToClient } from 'expense-events';
type Heard<E extends keyof ServerToClient> = Parameters<ServerToClient[E]>;
type Answered<E extends keyof ClientToServer> = Parameters<NonNullable<Parameters<ClientToServer[E]>[1]>>[0];
`

// aPage is how a client uses the types, and what they save it from.
const aPage = typesHead + `const socket: Socket<ServerToClient, ClientToServer> = io({ auth: { token: 't' } });
socket.on('expense_created', (e, offset) => console.log(e.description.length, e.deviceId?.length, offset?.length));
socket.on('notification', (n) => { if (n.type === 'budget_alert') console.log(n.data.isOverBudget); });
socket.emit('expense:create', { description: 'Lunch', amount: 12.5, category: 'food', type: 'expense' }, (a) => {
  console.log(a.ok ? a.expense._id : a.code);
});
socket.emit('expense:update', { id: 'x', amount: 5 });
socket.emit('dashboard:subscribe', { from: '2026-01-01' }, (a) => { if (a.ok) console.log(a.dashboard.totals.balance); });
socket.emit('dashboard:unsubscribe');
socket.emit('sync_request', { since: null });
// @ts-expect-error there is no such event
socket.on('expense_made', () => {});
// @ts-expect-error nor may one say it
socket.emit('expense_created', {});
// @ts-expect-error a creation needs all of its fields
socket.emit('expense:create', { description: 'Lunch' });
// @ts-expect-error there is no such category
socket.emit('expense:create', { description: 'Lunch', amount: 1, category: 'fun', type: 'expense' });
// @ts-expect-error an update names its expense
socket.emit('expense:update', { amount: 5 });
// @ts-expect-error an answer may be a refusal
socket.emit('expense:delete', { id: 'x' }, (a) => console.log(a.expense));
// @ts-expect-error counts are numbers
socket.on('notification_count', (unread) => unread.count.length);
`

// maxSamples is how many events of a name are compiled.
const maxSamples = 20

// traffic returns the sources: a page, what was heard and answered, and the names of
// docs/events.md, of which none may be missing and none be too many.
func (s *eventFixture) traffic(t *testing.T) map[string]string {
	var heard, answered strings.Builder
	samples, heardNames, saidNames := map[string]int{}, []string{}, []string{}
	for _, d := range s.all {
		for _, e := range d.events() {
			if samples[e.Name]++; samples[e.Name] <= maxSamples {
				fmt.Fprintf(&heard, "{ const e: Heard<'%s'> = %s; void e; }\n", e.Name, jsonList(e.Args))
			}
		}
	}
	for key := range s.page {
		if name, ok := strings.CutPrefix(key, said); ok {
			saidNames = append(saidNames, fmt.Sprintf("'%s': true", name))
			fmt.Fprintf(&answered, "{ const a: Answered<'%s'> = %s; void a; }\n", name, s.answers[name])
		} else {
			heardNames = append(heardNames, fmt.Sprintf("'%s': true", key))
		}
	}
	names := fmt.Sprintf("export const heard: Record<keyof ServerToClient, true> = { %s };\nexport const said: Record<keyof "+
		"ClientToServer, true> = { %s };\n",
		strings.Join(heardNames, ", "), strings.Join(saidNames, ", "))
	return map[string]string{"page.ts": aPage, "heard.ts": typesHead + heard.String() + answered.String() + names}
}

// jsonList writes values as one JSON array.
func jsonList(values []json.RawMessage) string {
	b, _ := json.Marshal(values)
	return string(b)
}

// compile runs tsc --strict over sources and gives what it complains of.
func compile(t *testing.T, sources map[string]string) string {
	t.Helper()
	node := testneed.Node(t)
	dir := t.TempDir()
	modules, types := absolute(t, npmDir, "node_modules"), absolute(t, "..", "..", "static", "expense-events.d.ts")
	config, err := json.Marshal(map[string]any{
		"compilerOptions": map[string]any{
			"strict": true, "noEmit": true, "module": "nodenext", "target": "es2022", "lib": []string{"es2022", "dom"},
			"types": []string{},
			"paths": map[string]any{
				"expense-events":   []string{types},
				"socket.io-client": []string{filepath.Join(modules, "socket.io-client")},
			},
		},
		"files": slices.Sorted(maps.Keys(sources)),
	})
	if err != nil {
		t.Fatal(err)
	}
	sources["tsconfig.json"] = string(config)
	for name, text := range sources {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tsc := exec.Command(node, filepath.Join(modules, "typescript", "bin", "tsc"), "-p", ".")
	tsc.Dir = dir
	out, err := tsc.CombinedOutput()
	var complained *exec.ExitError
	if err != nil && !errors.As(err, &complained) {
		t.Fatal(err)
	}
	return string(out)
}

func absolute(t *testing.T, path ...string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
