package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/ledger"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/models"
)

// fakeExpenses is an expenseService that records its calls, and appends to the log as the
// ledger does.
type fakeExpenses struct {
	fixture *fixture
	mu      sync.Mutex
	did     []string
	by      models.Author          // of the last change
	fail    error                  // what every command gets, if set
	roles   map[string]models.Role // by user and expense
	seq     int64                  // of the newest change of all logs
	asked   func()                 // runs before each role is told, if set
}

// RightTo implements expenseService.
func (b *fakeExpenses) RightTo(_ context.Context, userID, expenseID string) (models.Right, error) {
	b.mu.Lock()
	right, asked := models.Right{Role: b.roles[userID+" "+expenseID], Seq: b.seq}, b.asked
	b.mu.Unlock()
	if asked != nil {
		asked()
	}
	if right.Role == models.NoRole {
		return right, models.E(models.NotFound, "Expense not found")
	}
	return right, nil
}

// revoke ends a right and returns the change that says so.
func (b *fakeExpenses) revoke(userID, expenseID string) *models.Change {
	b.grant(userID, expenseID, models.NoRole)
	b.mu.Lock()
	defer b.mu.Unlock()
	return &models.Change{UserID: userID, Seq: b.seq, Kind: models.ExpenseDeleted, EntityID: expenseID}
}

// Audience implements expenseService.
func (b *fakeExpenses) Audience(_ context.Context, userID, expenseID string) (users []string, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key, role := range b.roles {
		if user, id, _ := strings.Cut(key, " "); id == expenseID && role != models.NoRole {
			users = append(users, user)
		}
	}
	if !slices.Contains(users, userID) {
		return nil, models.E(models.NotFound, "Expense not found")
	}
	return users, nil
}

// grant gives a user a role in an expense.
func (b *fakeExpenses) grant(userID, expenseID string, role models.Role) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.roles == nil {
		b.roles = make(map[string]models.Role)
	}
	b.roles[userID+" "+expenseID] = role
	b.seq++
}

// Comment implements expenseService.
func (b *fakeExpenses) Comment(_ context.Context, userID, expenseID, text string) (models.Activity, error) {
	if err := models.InvalidIf(models.CheckComment(text)); err != nil {
		return models.Activity{}, err
	}
	a := models.Activity{
		ExpenseID: expenseID, UserID: userID, UserName: strings.ToUpper(userID), Type: models.ActivityComment,
		Text: text, At: time.Now(),
	}
	a.Audience, _ = b.Audience(context.Background(), userID, expenseID)
	b.fixture.SendActivity(a)
	return a, nil
}

func (b *fakeExpenses) do(userID, what string, kind models.ChangeKind, by models.Author) (models.Expense, error) {
	b.mu.Lock()
	b.did, b.by = append(b.did, what), by
	err := b.fail
	b.mu.Unlock()
	if err != nil {
		return models.Expense{}, err
	}
	seq := b.fixture.log.add(userID, kind, what, by)
	b.fixture.tail.Wake(userID)
	return models.Expense{
		ID: fmt.Sprintf("%024x", seq), UserID: userID, Description: what, Amount: models.MinAmount,
		Version: 1,
	}, nil
}

// InitZone implements expenseService.
func (b *fakeExpenses) InitZone(_ context.Context, userID, name string, _ models.Author) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, "zone "+name+" of "+userID)
	return b.fail
}

func (b *fakeExpenses) CreateExpense(_ context.Context, userID string, c ledger.ExpenseCreation) (models.Expense, error) {
	if c.Posted {
		return models.Expense{}, errors.New("a command is no POST")
	}
	return b.do(userID, fmt.Sprint("create ", c.Draft.Description, " ", c.ClientID), models.ExpenseCreated, c.Author)
}

func (b *fakeExpenses) UpdateExpense(_ context.Context, userID, id string, seen *int64, p models.Patch,
	by models.Author,
) (models.Expense, error) {
	return b.do(userID, fmt.Sprint("update ", id, " ", seen != nil, " ", p.Amount), models.ExpenseUpdated, by)
}

func (b *fakeExpenses) DeleteExpense(_ context.Context, userID, id string, by models.Author) (models.Expense, error) {
	return b.do(userID, "delete "+id, models.ExpenseDeleted, by)
}

func (b *fakeExpenses) done() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.did
}

// readAck reads an acknowledgement, and returns the frames that came before it.
func (b *testClient) readAck(t *testing.T, id string) (before []string, ack map[string]any) {
	t.Helper()
	for {
		f := b.frame()
		rest, ok := strings.CutPrefix(f, "43"+id+"[")
		if !ok {
			before = append(before, f)
			continue
		}
		if err := json.Unmarshal([]byte(strings.TrimSuffix(rest, "]")), &ack); err != nil {
			t.Fatalf("acknowledgement %s: %v", f, err)
		}
		return before, ack
	}
}

func TestCommandsGoThroughTheLedger(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.dial(t, nil)
	b.connect(`{"token":"a","deviceId":"device_1"}`)
	tests := []struct{ say, did, device string }{
		{
			`"expense:create",{"description":"lunch","amount":5,"category":"food","type":"expense","clientId":"c1"}`, "create lunch c1",
			"device_1",
		},
		{
			`"expense:create",{"description":"lunch","amount":5,"category":"food","type":"expense","deviceId":"device_2"}`,
			"create lunch ", "device_2",
		},
		{`"expense:update",{"id":"temp_1","description":"dinner"}`, "update temp_1 false <nil>", "device_1"},
		{
			`"expense:update",{"_id":"0000000000000000000000ff","version":3,"description":"dinner"}`,
			"update 0000000000000000000000ff true <nil>", "device_1",
		},
		{`"expense:delete",{"id":"0000000000000000000000ff"}`, "delete 0000000000000000000000ff", "device_1"},
	}
	for _, tt := range tests {
		b.send(`427[` + tt.say + `]`)
		_, ack := b.readAck(t, "7")
		expense, _ := ack["expense"].(map[string]any)
		same(t, "acknowledgement of "+tt.say, []any{true, tt.did, nil}, []any{ack["ok"], expense["description"], ack["error"]})
		did := w.expenses.done()
		same(t, "done for "+tt.say, tt.did, did[len(did)-1])
		same(t, "author of "+tt.say, models.Author{DeviceID: tt.device, TokenID: "a"}, w.expenses.by)
	}
}

func TestACommandThatIsNotAsItShouldBeIsRefusedAndDoesNothing(t *testing.T) {
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	good := `{"description":"lunch","amount":5,"category":"food","type":"expense"}`
	commands := w.commandTable()
	for name := range commands {
		if commands[name].optional {
			continue
		}
		for _, arguments := range []string{
			``, `,null`, `,1`, `,"text"`, `,[{}]`, `,` + good + `,"no function"`, `,` + good + `,{},{}`,
			`,{}`, `,{"id":7}`,
		} {
			b.send(`427["` + name + `"` + arguments + `]`)
			event, payload := b.nextEvent()
			_, ack := b.readAck(t, "7")
			same(t, name+arguments, []any{"error:event", name, "INVALID", false, "INVALID", payload["error"]},
				[]any{event, payload["event"], payload["code"], ack["ok"], ack["code"], ack["error"]})
			if payload["error"] == "" {
				t.Errorf("%s%s is refused without a word", name, arguments)
			}
			b.send(`42["` + name + `"` + arguments + `]`) // nobody waits for an answer
			event, _ = b.nextEvent()
			same(t, name+arguments, "error:event", event)
		}
	}
	b.send(`451-7["expense:create",{"_placeholder":true,"num":0}]`)
	if err := b.conn.Send(socketiotest.Binary([]byte("binary"))); err != nil {
		t.Fatal(err)
	}
	event, _ := b.nextEvent()
	_, ack := b.readAck(t, "7")
	same(t, "binary", []any{"error:event", "INVALID"}, []any{event, ack["code"]})
	same(t, "done", 0, len(w.expenses.done()))
}

func TestAFailedCommandSaysWhyTwice(t *testing.T) {
	tests := []struct {
		err     error
		message string
		code    string
	}{
		{models.E(models.NotFound, "Expense not found"), "Expense not found", "NOT_FOUND"},
		{fmt.Errorf("update expense: %w", &models.ConflictError{Stored: models.Expense{ID: "x", Version: 7}}), "", "CONFLICT"},
		{models.E(models.Unavailable, "Service temporarily unavailable"), "Service temporarily unavailable", "UNAVAILABLE"},
		{errors.New("table users: secret"), "Internal server error", "INTERNAL"},
	}
	w := newFixture(t, Options{}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for _, tt := range tests {
		w.expenses.fail = tt.err
		b.send(`427["expense:delete",{"id":"x"}]`)
		_, payload := b.nextEvent()
		_, ack := b.readAck(t, "7")
		same(t, "code", []any{tt.code, tt.code}, []any{payload["code"], ack["code"]})
		if tt.message != "" {
			same(t, "error", []any{tt.message, tt.message}, []any{payload["error"], ack["error"]})
		}
		if current, _ := ack["current"].(map[string]any); tt.code == "CONFLICT" && current["version"] != 7.0 {
			t.Errorf("a conflict does not show what is stored: %v", ack)
		}
	}
}

func TestWhoSaysTooMuchIsRefusedAndInTheEndClosed(t *testing.T) {
	w := newFixture(t, Options{Rate: 0.001, Burst: 3}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 3 {
		b.send(fmt.Sprintf(`42%d["sync_request"]`, i))
		_, ack := b.readAck(t, fmt.Sprint(i))
		same(t, "within the rate", true, ack["ok"])
	}
	for i := range maxRefusedBursts * 3 {
		b.send(fmt.Sprintf(`42%d["expense:delete",{"id":"x"}]`, i))
		_, payload := b.nextEvent()
		_, ack := b.readAck(t, fmt.Sprint(i))
		same(t, "over the rate", []any{"expense:delete", "RATE_LIMITED", "RATE_LIMITED", false},
			[]any{payload["event"], payload["code"], ack["code"], ack["ok"]})
		if ms, _ := ack["retryAfterMs"].(float64); ms < 1 || ms != payload["retryAfterMs"] {
			t.Errorf("retry after %v and %v ms", ack["retryAfterMs"], payload["retryAfterMs"])
		}
	}
	same(t, "done", 0, len(w.expenses.done()))
	b.send(`42["no such event"]`) // counts too
	b.nextEvent()
	same(t, "goodbye", "41", b.frame())
	b.wantClosed()
}

// Clients keep what a page emits while they are offline, and send it at once when they are
// back: after 200 commands the socket was closed for good, and a quarter of them had no answer.
func TestAPageThatComesBackWithTwoHundredCommandsWasClosed(t *testing.T) {
	w := newFixture(t, Options{Rate: 5, Burst: 50}, engineio.Config{})
	w.tokens.add("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 200 {
		b.send(fmt.Sprintf(`42%d["expense:delete",{"id":"x"}]`, i))
	}
	refused := 0
	for i := range 200 {
		if _, ack := b.readAck(t, fmt.Sprint(i)); ack["code"] == "RATE_LIMITED" {
			refused++
		}
	}
	if refused < 100 || refused > 150 {
		t.Errorf("%d of 200 were refused", refused)
	}
	b.send(`42900["sync_request"]`)
	b.readAck(t, "900")
}
