package sockets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; it is no promise.
const patience = 20 * time.Second

// A world is a Hub on a real Socket.IO server, with everything it asks faked.
type world struct {
	*Hub
	url    string // ws://host:port
	tokens *tokens
	log    *log
	parked *parked
	tail   *changes.Tail[Announcement]
	book   *fakeBook
	reader *fakeReader
	seen   *fakeRegistry
}

// newWorld serves a Hub with these options until the test ends.
func newWorld(t *testing.T, o Options, engine engineio.Config) *world {
	t.Helper()
	return newWorldOf(t, o, engine, trail(t))
}

// newWorldOf is newWorld with a Trail of its own.
func newWorldOf(t *testing.T, o Options, engine engineio.Config, tr *Trail) *world {
	t.Helper()
	w := &world{tokens: newTokens(), log: newLog(), parked: &parked{}}
	w.book, w.reader = &fakeBook{world: w}, &fakeReader{log: w.log}
	w.tail = changes.New(w.log, tr.Encode, changes.Options{})
	o.IO = socketio.New(socketio.Config{Engine: engine, ReleaseHandshake: true, Recovery: tr})
	w.seen = &fakeRegistry{}
	o.Auth, o.Feed, o.Queue, o.Book, o.Reader, o.Registry = w.tokens, w.tail, w.parked, w.book, w.reader, w.seen
	w.Hub = New(o)
	server := httptest.NewServer(o.IO)
	w.url = strings.Replace(server.URL, "http", "ws", 1)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = w.tail.Run(ctx) })
	t.Cleanup(func() {
		if err := w.Shutdown(context.Background()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if n := w.Len(); n != 0 {
			t.Errorf("%d sessions are left after Shutdown", n)
		}
		server.Close()
		stop()
		running.Wait()
	})
	return w
}

// trail is one of many processes with the same secret and log.
func trail(t *testing.T) *Trail {
	t.Helper()
	return trailTelling(t, BothSpellings)
}

func trailTelling(t *testing.T, names Spellings) *Trail {
	t.Helper()
	tr, err := NewTrail("epoch", []byte("a secret of at least thirty-two bytes"), names)
	if err != nil {
		t.Fatal(err)
	}
	tr.KeepIn(&fakeMemory{rooms: make(map[string][]string)})
	return tr
}

// fakeMemory keeps the rooms of pages.
type fakeMemory struct {
	mu    sync.Mutex
	rooms map[string][]string
	fail  error
}

// KeepRooms implements memory.
func (m *fakeMemory) KeepRooms(_ context.Context, userID, key string, rooms []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rooms[userID+key] = slices.Clone(rooms)
	return m.fail
}

// of is what is kept for a page.
func (m *fakeMemory) of(userID, pid string) []string {
	rooms, _ := m.KeptRooms(context.Background(), userID, sessionKey(pid))
	return rooms
}

// KeptRooms implements memory.
func (m *fakeMemory) KeptRooms(_ context.Context, userID, key string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rooms[userID+key], m.fail
}

// fakeRegistry keeps the devices that were seen.
type fakeRegistry struct {
	mu   sync.Mutex
	seen []models.DeviceToken
}

// SeeDevices implements registry.
func (r *fakeRegistry) SeeDevices(_ context.Context, seen []models.DeviceToken) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, seen...)
	return nil
}

// tokens is a fake authenticator.
type tokens struct {
	mu     sync.Mutex
	known  map[string]auth.Identity
	fail   error                     // what every question gets, if set
	before func()                    // runs before each answer, if set
	seqs   func(userID string) int64 // where the users' logs end, and
	starts func(userID string) int64 // where they begin; nil is 0
}

func newTokens() *tokens { return &tokens{known: make(map[string]auth.Identity)} }

// give makes a token of the user's; its text is its key and its id too.
func (k *tokens) give(token, userID string, life time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.known[token] = auth.Identity{
		User:   models.User{ID: userID, Name: strings.ToUpper(userID)},
		Claims: auth.Claims{UserID: userID, TokenID: token, Key: token, ExpiresAt: time.Now().Add(life)},
	}
}

func (k *tokens) revoke(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, token)
}

func (k *tokens) trouble(err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.fail = err
}

// Authenticate implements authenticator.
func (k *tokens) Authenticate(_ context.Context, bearer string) (auth.Identity, error) {
	k.mu.Lock()
	id, ok := k.known[auth.Token(bearer)]
	before, fail, seqs, starts := k.before, k.fail, k.seqs, k.starts
	k.mu.Unlock()
	if seqs != nil {
		id.User.Seq = seqs(id.User.ID)
	}
	if starts != nil {
		id.User.LogStart = starts(id.User.ID)
	}
	if before != nil {
		before()
	}
	switch {
	case fail != nil:
		return auth.Identity{}, fail
	case bearer == "":
		return auth.Identity{}, &models.Error{Kind: models.Unauthorized, Msg: "none", Code: auth.CodeNoToken}
	case !ok:
		return auth.Identity{}, &models.Error{Kind: models.Unauthorized, Msg: "bad", Code: auth.CodeTokenInvalid}
	}
	return id, nil
}

// log is a fake store of change logs.
type log struct {
	mu     sync.Mutex
	byUser map[string][]models.Change
	pruned int64 // changes up to this are gone, whoever's
}

func newLog() *log { return &log{byUser: make(map[string][]models.Change)} }

// add stores one more change and gives its sequence.
func (l *log) add(userID string, kind models.ChangeKind, text string, by models.Author) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addLocked(userID, kind, text, by)
}

func (l *log) addLocked(userID string, kind models.ChangeKind, text string, by models.Author) int64 {
	seq := int64(len(l.byUser[userID])) + 1
	e := models.Expense{ID: fmt.Sprintf("%024x", seq), UserID: userID, Description: text, Amount: models.MinAmount}
	c := models.Change{UserID: userID, Seq: seq, Kind: kind, EntityID: e.ID, Expense: e, Author: by}
	l.byUser[userID] = append(l.byUser[userID], c)
	return seq
}

func (l *log) prune(upTo int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pruned = upTo
}

func (l *log) head(userID string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(len(l.byUser[userID]))
}

// Changes implements changes.Source.
func (l *log) Changes(_ context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after < l.pruned {
		return nil, models.E(models.NotFound, "pruned")
	}
	all := l.byUser[userID]
	return all[after:min(int64(len(all)), after+int64(limit))], nil
}

// Heads implements changes.Source.
func (l *log) Heads(_ context.Context, users []string) (map[string]int64, error) {
	heads := make(map[string]int64)
	for _, u := range users {
		heads[u] = l.head(u)
	}
	return heads, nil
}

// change stores a change of the user's and wakes the tail, as the ledger does.
func (w *world) change(userID, text string, by models.Author) {
	w.log.add(userID, models.ExpenseCreated, text, by)
	w.tail.Wake(userID)
}

// parked is a fake queue of parked operations.
type parked struct {
	mu   sync.Mutex
	ops  []models.QueuedOperation
	err  error
	page models.LogPage // what everybody missed
}

// Pending implements queue.
func (p *parked) Pending(_ context.Context, userID string) ([]models.QueuedOperation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ops, p.err
}

// Missed implements queue.
func (p *parked) Missed(_ context.Context, _ string, since *models.Cursor, limit int) (models.LogPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	page := p.page
	page.Since, page.Changes = since.Seq, page.Changes[:min(limit, len(page.Changes))]
	return page, p.err
}

// A browser is a client of one WebSocket connection.
type browser struct {
	t      *testing.T
	conn   *websocket.Conn
	offset string // of the last event of the log
	all    bool   // frame gives states too, which come whenever they like

	states []string // that were passed over
}

// states are events that tell how things stand, not what happened.
var states = []string{statusEvent, countEvent, balanceEvent, dashboardEvent, presenceEvent}

func isState(frame []byte) bool {
	return slices.ContainsFunc(states, func(name string) bool { return bytes.HasPrefix(frame, []byte(`42["`+name+`"`)) })
}

// dial opens a connection without saying who it is.
func (w *world) dial(t *testing.T, header http.Header) *browser {
	t.Helper()
	conn, res, err := websocket.DefaultDialer.Dial(w.url+"/socket.io/?EIO=4&transport=websocket", header)
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	_ = res.Body.Close()
	b := &browser{t: t, conn: conn}
	t.Cleanup(func() { _ = conn.Close() })
	if open := b.frame(); !strings.HasPrefix(open, "0{") {
		t.Fatalf("the connection begins with %q", open)
	}
	return b
}

// open is a connected socket of the token.
func (w *world) open(t *testing.T, token string) *browser {
	t.Helper()
	b := w.dial(t, nil)
	if got := b.connect(`{"token":"` + token + `"}`); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("CONNECT was answered %q", got)
	}
	return b
}

// poll opens a connection by long-polling, says one thing, hears one answer and
// leaves without a word.
func (w *world) poll(t *testing.T, says string) (answer string) {
	t.Helper()
	at := strings.Replace(w.url, "ws", "http", 1) + "/socket.io/?EIO=4&transport=polling"
	var open struct{ Sid string }
	if err := json.Unmarshal([]byte(request(t, http.MethodGet, at, "")[1:]), &open); err != nil {
		t.Fatal(err)
	}
	at += "&sid=" + open.Sid
	request(t, http.MethodPost, at, says)
	return request(t, http.MethodGet, at, "")
}

func request(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, url, res.StatusCode, b, err)
	}
	return string(b)
}

// connect says who it is, in JSON, and gives the answer.
func (b *browser) connect(auth string) string {
	b.t.Helper()
	b.send("40" + auth)
	return b.frame()
}

func (b *browser) send(frame string) {
	b.t.Helper()
	if err := b.conn.WriteMessage(websocket.TextMessage, []byte(frame)); err != nil {
		b.t.Fatalf("send %q: %v", frame, err)
	}
}

// frame gives the next frame that is no heartbeat and no state.
func (b *browser) frame() string {
	b.t.Helper()
	f, err := b.next()
	if err != nil {
		b.t.Fatalf("nothing more came: %v", err)
	}
	return f
}

func (b *browser) next() (string, error) {
	for {
		if err := b.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			return "", err
		}
		_, frame, err := b.conn.ReadMessage()
		if err != nil {
			return "", err
		}
		switch {
		case string(frame) == "2":
			b.send("3")
		case b.all || !isState(frame):
			return string(frame), nil
		default:
			b.states = append(b.states, string(frame))
		}
	}
}

// gone wants the connection to end, with nothing said before.
func (b *browser) gone() {
	b.t.Helper()
	f, err := b.next()
	if err == nil {
		b.t.Fatalf("the connection goes on with %q", f)
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		b.t.Fatal("the connection stays open")
	}
}

// hear gives the next event and its only argument besides the offset. It holds
// every event that any test hears against docs/contract.md#recovery.
func (b *browser) hear() (name string, payload map[string]any) {
	b.t.Helper()
	name, last := b.event()
	if err := json.Unmarshal(last, &payload); err != nil {
		b.t.Fatalf("%s carries %s", name, last)
	}
	return name, payload
}

// event gives the next event and its payload. A change of an expense has two
// spellings, which carry the same: it reads both and gives the first.
func (b *browser) event() (name string, payload json.RawMessage) {
	b.t.Helper()
	name, payload = b.single()
	if kind, ok := strings.CutPrefix(name, "expense_"); ok {
		colon, same := b.single()
		if colon != "expense:"+kind || string(same) != string(payload) {
			b.t.Errorf("%s %s was followed by %s %s", name, payload, colon, same)
		}
	}
	return name, payload
}

// single gives the next event and its payload. What comes from the log ends in
// its offset, which b remembers as a client does, and nothing else is a string.
func (b *browser) single() (name string, payload json.RawMessage) {
	b.t.Helper()
	f := b.frame()
	var event []json.RawMessage
	if !strings.HasPrefix(f, "42") || json.Unmarshal([]byte(f[2:]), &event) != nil {
		b.t.Fatalf("%q is no event", f)
	}
	if err := json.Unmarshal(event[0], &name); err != nil {
		b.t.Fatal(err)
	}
	if fromLog(name) && json.Unmarshal(event[len(event)-1], &b.offset) == nil {
		event = event[:len(event)-1]
	}
	if len(event) != 2 || event[1][0] == '"' {
		b.t.Errorf("%s ends in a string or has no argument: %s", name, f)
	}
	return name, event[len(event)-1]
}

func fromLog(name string) bool {
	return slices.ContainsFunc([]string{"expense", "budget:"}, func(p string) bool { return strings.HasPrefix(name, p) }) || name == "notification"
}

// hears wants these descriptions created, in this order.
func (b *browser) hears(want ...string) {
	b.t.Helper()
	var got []string
	for range want {
		name, payload := b.hear()
		got = append(got, fmt.Sprint(payload["description"]))
		if name != "expense_created" {
			b.t.Errorf("heard %s", name)
		}
	}
	same(b.t, "events", want, got)
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// fakeReader knows how users stand: of each change in the log, one unit more is
// spent.
type fakeReader struct {
	log *log

	mu       sync.Mutex
	unread   int64
	currency string
	fail     error
	users    int // how often it was asked, and
	boards   int
	before   func() // runs before each answer, if set
}

func (r *fakeReader) set(change func(*fakeReader)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *fakeReader) asked() (users, boards int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.users, r.boards
}

// UserByID implements reader.
func (r *fakeReader) UserByID(_ context.Context, id string) (models.User, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
	head := r.log.head(id)
	return models.User{ID: id, Seq: head, Totals: spent(head), Unread: r.unread, ChosenCurrency: r.currency}, r.fail
}

// spent are the totals of so many expenses of 1 each.
func spent(n int64) models.Totals {
	if n == 0 {
		return nil
	}
	return models.Totals{{Expense: models.Sum{Units: n}, Count: n}}
}

// Dashboard implements reader.
func (r *fakeReader) Dashboard(_ context.Context, userID string, from, to models.DayRef) (models.Dashboard, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.boards++
	if r.before != nil {
		r.before()
	}
	head := r.log.head(userID)
	d := models.Dashboard{From: from.In(time.UTC), To: to.In(time.UTC), Version: head}
	d.CurrencyTotal, _ = spent(head).In(models.DefaultCurrency)
	return d, r.fail
}

// state gives the next event of this name, whatever comes before it.
func (b *browser) state(name string) (payload map[string]any) {
	b.t.Helper()
	b.all = true
	defer func() { b.all = false }()
	for {
		f := b.frame()
		rest, ok := strings.CutPrefix(f, `42["`+name+`",`)
		if !ok {
			continue
		}
		if err := json.Unmarshal([]byte(strings.TrimSuffix(rest, "]")), &payload); err != nil {
			b.t.Fatalf("%s has more than one object: %s", name, f)
		}
		return payload
	}
}
