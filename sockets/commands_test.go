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
	"expenseflow/models"
)

// fakeBook notes what it is told, and announces it as the ledger does.
type fakeBook struct {
	world *world
	mu    sync.Mutex
	did   []string
	by    models.Author          // of the last change
	fail  error                  // what every command gets, if set
	roles map[string]models.Role // by user and expense
	seq   int64                  // of the newest change of all logs
	asked func()                 // runs before each role is told, if set
}

// RightTo implements book.
func (b *fakeBook) RightTo(_ context.Context, userID, expenseID string) (models.Right, error) {
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

// take ends a right and gives the change that says so.
func (b *fakeBook) take(userID, expenseID string) *models.Change {
	b.give(userID, expenseID, models.NoRole)
	b.mu.Lock()
	defer b.mu.Unlock()
	return &models.Change{UserID: userID, Seq: b.seq, Kind: models.ExpenseDeleted, EntityID: expenseID}
}

// Audience implements book.
func (b *fakeBook) Audience(_ context.Context, userID, expenseID string) (users []string, err error) {
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

// give gives a user a role in an expense.
func (b *fakeBook) give(userID, expenseID string, role models.Role) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.roles == nil {
		b.roles = make(map[string]models.Role)
	}
	b.roles[userID+" "+expenseID] = role
	b.seq++
}

// Comment implements book.
func (b *fakeBook) Comment(_ context.Context, userID, expenseID, text string) (models.Activity, error) {
	if err := models.InvalidIf(models.CheckComment(text)); err != nil {
		return models.Activity{}, err
	}
	a := models.Activity{ExpenseID: expenseID, UserID: userID, UserName: strings.ToUpper(userID), Type: models.ActivityComment, Text: text, At: time.Now()}
	a.Audience, _ = b.Audience(context.Background(), userID, expenseID)
	b.world.Activity(a)
	return a, nil
}

func (b *fakeBook) do(userID, what string, kind models.ChangeKind, by models.Author) (models.Expense, error) {
	b.mu.Lock()
	b.did, b.by = append(b.did, what), by
	err := b.fail
	b.mu.Unlock()
	if err != nil {
		return models.Expense{}, err
	}
	seq := b.world.log.add(userID, kind, what, by)
	b.world.tail.Wake(userID)
	return models.Expense{ID: fmt.Sprintf("%024x", seq), UserID: userID, Description: what, Amount: models.MinAmount, Version: 1}, nil
}

// NameZone implements book.
func (b *fakeBook) NameZone(_ context.Context, userID, name string, _ models.Author) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, "zone "+name+" of "+userID)
	return b.fail
}

func (b *fakeBook) CreateExpense(_ context.Context, userID string, c ledger.Creation) (models.Expense, error) {
	if c.Posted {
		return models.Expense{}, errors.New("a command is no POST")
	}
	return b.do(userID, fmt.Sprint("create ", c.Draft.Description, " ", c.ClientID), models.ExpenseCreated, c.Author)
}

func (b *fakeBook) UpdateExpense(_ context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error) {
	return b.do(userID, fmt.Sprint("update ", id, " ", seen != nil, " ", p.Amount), models.ExpenseUpdated, by)
}

func (b *fakeBook) DeleteExpense(_ context.Context, userID, id string, by models.Author) (models.Expense, error) {
	return b.do(userID, "delete "+id, models.ExpenseDeleted, by)
}

func (b *fakeBook) done() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.did
}

// answers reads an acknowledgement, and what came before it.
func (b *browser) answers(t *testing.T, id string) (before []string, ack map[string]any) {
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
	w := newWorld(t, Options{}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.dial(t, nil)
	b.connect(`{"token":"a","deviceId":"device_1"}`)
	tests := []struct{ say, did, device string }{
		{`"expense:create",{"description":"lunch","amount":5,"category":"food","type":"expense","clientId":"c1"}`, "create lunch c1", "device_1"},
		{`"expense:create",{"description":"lunch","amount":5,"category":"food","type":"expense","deviceId":"device_2"}`, "create lunch ", "device_2"},
		{`"expense:update",{"id":"temp_1","description":"dinner"}`, "update temp_1 false <nil>", "device_1"},
		{`"expense:update",{"_id":"0000000000000000000000ff","version":3,"description":"dinner"}`, "update 0000000000000000000000ff true <nil>", "device_1"},
		{`"expense:delete",{"id":"0000000000000000000000ff"}`, "delete 0000000000000000000000ff", "device_1"},
	}
	for _, tt := range tests {
		b.send(`427[` + tt.say + `]`)
		_, ack := b.answers(t, "7")
		expense, _ := ack["expense"].(map[string]any)
		same(t, "acknowledgement of "+tt.say, []any{true, tt.did, nil}, []any{ack["ok"], expense["description"], ack["error"]})
		did := w.book.done()
		same(t, "done for "+tt.say, tt.did, did[len(did)-1])
		same(t, "author of "+tt.say, models.Author{DeviceID: tt.device, TokenID: "a"}, w.book.by)
	}
}

func TestACommandThatIsNotAsItShouldBeIsRefusedAndDoesNothing(t *testing.T) {
	w := newWorld(t, Options{}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	good := `{"description":"lunch","amount":5,"category":"food","type":"expense"}`
	for name := range commands {
		if commands[name].bare {
			continue
		}
		for _, arguments := range []string{``, `,null`, `,1`, `,"text"`, `,[{}]`, `,` + good + `,"no function"`, `,` + good + `,{},{}`, `,{}`, `,{"id":7}`} {
			b.send(`427["` + name + `"` + arguments + `]`)
			event, payload := b.hear()
			_, ack := b.answers(t, "7")
			same(t, name+arguments, []any{"error:event", name, "INVALID", false, "INVALID", payload["error"]},
				[]any{event, payload["event"], payload["code"], ack["ok"], ack["code"], ack["error"]})
			if payload["error"] == "" {
				t.Errorf("%s%s is refused without a word", name, arguments)
			}
			b.send(`42["` + name + `"` + arguments + `]`) // nobody waits for an answer
			event, _ = b.hear()
			same(t, name+arguments, "error:event", event)
		}
	}
	b.send(`451-7["expense:create",{"_placeholder":true,"num":0}]`)
	if err := b.conn.WriteMessage(2, []byte("binary")); err != nil {
		t.Fatal(err)
	}
	event, _ := b.hear()
	_, ack := b.answers(t, "7")
	same(t, "binary", []any{"error:event", "INVALID"}, []any{event, ack["code"]})
	same(t, "done", 0, len(w.book.done()))
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
	w := newWorld(t, Options{}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	for _, tt := range tests {
		w.book.fail = tt.err
		b.send(`427["expense:delete",{"id":"x"}]`)
		_, payload := b.hear()
		_, ack := b.answers(t, "7")
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
	w := newWorld(t, Options{Rate: 0.001, Burst: 3}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 3 {
		b.send(fmt.Sprintf(`42%d["sync_request"]`, i))
		_, ack := b.answers(t, fmt.Sprint(i))
		same(t, "within the rate", true, ack["ok"])
	}
	for i := range patienceInBursts * 3 {
		b.send(fmt.Sprintf(`42%d["expense:delete",{"id":"x"}]`, i))
		_, payload := b.hear()
		_, ack := b.answers(t, fmt.Sprint(i))
		same(t, "over the rate", []any{"expense:delete", "RATE_LIMITED", "RATE_LIMITED", false},
			[]any{payload["event"], payload["code"], ack["code"], ack["ok"]})
		if ms, _ := ack["retryAfterMs"].(float64); ms < 1 || ms != payload["retryAfterMs"] {
			t.Errorf("retry after %v and %v ms", ack["retryAfterMs"], payload["retryAfterMs"])
		}
	}
	same(t, "done", 0, len(w.book.done()))
	b.send(`42["no such event"]`) // counts too
	b.hear()
	same(t, "goodbye", "41", b.frame())
	b.gone()
}

// Clients keep what a page emits while they are offline, and send it all when they are
// back: 200 commands ended the socket for good, a quarter of them without an answer.
func TestAPageThatComesBackWithTwoHundredCommandsWasClosed(t *testing.T) {
	w := newWorld(t, Options{Rate: 5, Burst: 50}, engineio.Config{})
	w.tokens.give("a", "alice", time.Hour)
	b := w.open(t, "a")
	for i := range 200 {
		b.send(fmt.Sprintf(`42%d["expense:delete",{"id":"x"}]`, i))
	}
	refused := 0
	for i := range 200 {
		if _, ack := b.answers(t, fmt.Sprint(i)); ack["code"] == "RATE_LIMITED" {
			refused++
		}
	}
	if refused < 100 || refused > 150 {
		t.Errorf("%d of 200 were refused", refused)
	}
	b.send(`42900["sync_request"]`)
	b.answers(t, "900")
}
