package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"expenseflow/internal/auth"
	"expenseflow/internal/changes"
	"expenseflow/internal/engineio"
	"expenseflow/internal/keyring"
	"expenseflow/internal/socketio"
	"expenseflow/internal/socketio/socketiotest"
	"expenseflow/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test. It is not a promise of the server.
const patience = 20 * time.Second

// A fixture is a Hub on a real Socket.IO server, with a fake of everything that it calls.
type fixture struct {
	*Hub
	url      string // http://host:port
	tokens   *tokens
	log      *log
	parked   *parked
	tail     *changes.Tail[EncodedChange]
	expenses *fakeExpenses
	reader   *fakeReader
	seen     fakeDevices
}

// newFixture serves a Hub with these options until the test ends.
func newFixture(t *testing.T, o Options, engine engineio.Config) *fixture {
	t.Helper()
	return newFixtureWith(t, o, engine, testRecovery(t))
}

// newFixtureWith is newFixture with its own recovery.
func newFixtureWith(t *testing.T, o Options, engine engineio.Config, r recovery) *fixture {
	t.Helper()
	w := &fixture{tokens: newTokens(), log: newLog(), parked: &parked{}}
	w.expenses, w.reader = &fakeExpenses{fixture: w}, &fakeReader{log: w.log}
	w.tail = changes.New(w.log, r.Encode, changes.Options{})
	o.IO = socketio.New(socketio.Config{Engine: engine, ReleaseHandshake: true, Recovery: r})
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Auth, o.Feed, o.Queue, o.Expenses, o.Reader, o.Devices = w.tokens, w.tail, w.parked, w.expenses, w.reader, &w.seen
	w.Hub = New(o)
	server := httptest.NewServer(o.IO)
	w.url = server.URL
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

// A recovery is what one process recovers connections with. All of the same epoch are
// equal, but for the rooms that they store.
type recovery struct {
	*Stream
	*Encoder
	*Recoverer
	stored *fakeRoomStore
}

func testRecovery(t testing.TB) recovery {
	t.Helper()
	return newRecovery(t, "epoch", BothNames)
}

func newRecovery(t testing.TB, epoch string, names EventNames) recovery {
	t.Helper()
	r := recovery{Stream: NewStream(epoch, names), stored: &fakeRoomStore{rooms: make(map[string][]string)}}
	r.Encoder = NewEncoder(r.Stream)
	r.Recoverer = NewRecoverer(r.Stream, keyring.New([]byte("a secret of at least thirty-two bytes")), r.stored)
	return r
}

// fakeRoomStore stores the rooms of pages in memory.
type fakeRoomStore struct {
	mu    sync.Mutex
	rooms map[string][]string
	fail  error
}

// KeepRooms implements roomStore.
func (m *fakeRoomStore) KeepRooms(_ context.Context, userID, key string, rooms []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rooms[userID+key] = slices.Clone(rooms)
	return m.fail
}

// of returns what is stored for a page.
func (m *fakeRoomStore) of(userID, pid string) []string {
	rooms, _ := m.KeptRooms(context.Background(), userID, pidHash(pid))
	return rooms
}

// KeptRooms implements roomStore.
func (m *fakeRoomStore) KeptRooms(_ context.Context, userID, key string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.rooms[userID+key], m.fail
}

// fakeDevices is a deviceRegistry that remembers devices with their tokens.
type fakeDevices struct {
	mu   sync.Mutex
	seen []string // "device token", each once, in order
}

// SeeDevices implements deviceRegistry.
func (d *fakeDevices) SeeDevices(_ context.Context, seen []models.DeviceToken) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range seen {
		d.seen = append(d.seen, s.DeviceID+" "+s.Key)
	}
	slices.Sort(d.seen)
	d.seen = slices.Compact(d.seen)
	return nil
}

// sessionOn returns a session without a socket.
func sessionOn(userID, device string) *session {
	s := &session{userID: userID, userName: strings.ToUpper(userID), device: device}
	s.token.Store(&sessionToken{credential: models.Credential{Key: "key of " + device}})
	return s
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

// add makes a token of the user; its text is its key and its id too.
func (k *tokens) add(token, userID string, life time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	ends := time.Now().Add(life)
	k.known[token] = auth.Identity{
		User:       models.User{ID: userID, Name: strings.ToUpper(userID)},
		Claims:     auth.Claims{UserID: userID, TokenID: token, Key: token, ExpiresAt: ends},
		Credential: models.Credential{UserID: userID, Key: token, Until: ends},
	}
}

func (k *tokens) revoke(token string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.known, token)
}

func (k *tokens) failWith(err error) {
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

// add appends a change and returns its sequence.
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

// Moves implements changes.Source.
func (l *log) Moves(_ context.Context, from models.MoveCursor) ([]string, models.MoveCursor, bool, error) {
	return nil, from, true, nil
}

// storeChange stores a change of the user's and wakes the tail, as the ledger does.
func (w *fixture) storeChange(userID, text string, by models.Author) {
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

// Pending implements operationQueue.
func (p *parked) Pending(_ context.Context, userID string) ([]models.QueuedOperation, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ops, p.err
}

// ChangesSince implements operationQueue.
func (p *parked) ChangesSince(_ context.Context, _ string, since *models.Cursor, limit int) (models.LogPage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	page := p.page
	page.Since, page.Changes = since.Seq, page.Changes[:min(limit, len(page.Changes))]
	return page, p.err
}

// A testClient is a client of one WebSocket connection.
type testClient struct {
	t      *testing.T
	conn   *socketiotest.Client
	offset string // of the last event of the log
	all    bool   // frame gives states too, which come whenever they like

	states      []string // that were passed over
	rejectionID string   // requestId of the last rejection
}

// states are the events that carry states, which are sent at any time.
var states = []string{statusEvent, countEvent, balanceEvent, dashboardEvent, presenceEvent}

func isState(frame string) bool {
	return slices.ContainsFunc(states, func(name string) bool { return strings.HasPrefix(frame, `42["`+name+`"`) })
}

// dial opens a connection without a CONNECT.
func (w *fixture) dial(t *testing.T, header http.Header) *testClient {
	t.Helper()
	conn, err := socketiotest.Dial(context.Background(), w.url, socketiotest.Options{Header: header, Patience: patience})
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &testClient{t: t, conn: conn}
}

// open returns a client that has connected with the token.
func (w *fixture) open(t *testing.T, token string) *testClient {
	t.Helper()
	b := w.dial(t, nil)
	if got := b.connect(`{"token":"` + token + `"}`); !strings.HasPrefix(got, `40{"sid":"`) {
		t.Fatalf("CONNECT was answered %q", got)
	}
	return b
}

// pollOnce opens a connection by long-polling, sends one packet, reads one answer and
// stops polling.
func (w *fixture) pollOnce(t *testing.T, says string) (answer string) {
	t.Helper()
	c, err := socketiotest.Dial(t.Context(), w.url, socketiotest.Options{Polling: true, Patience: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Send(says); err != nil {
		t.Fatal(err)
	}
	if answer, err = c.Receive(); err != nil {
		t.Fatal(err)
	}
	return answer
}

// connect sends a CONNECT with this auth, in JSON, and returns the answer.
func (b *testClient) connect(auth string) string {
	b.t.Helper()
	b.send("40" + auth)
	return b.frame()
}

func (b *testClient) send(frame string) {
	b.t.Helper()
	if err := b.conn.Send(frame); err != nil {
		b.t.Fatalf("send %q: %v", frame, err)
	}
}

// frame returns the next frame that is neither a heartbeat nor a state, without the id of a
// rejection, which b.rejectionID has then.
func (b *testClient) frame() string {
	b.t.Helper()
	f, err := b.next()
	if err != nil {
		b.t.Fatalf("nothing more came: %v", err)
	}
	if id := rejectionID.FindStringSubmatch(f); id != nil {
		b.rejectionID, f = id[1], strings.Replace(f, id[0], "", 1)
	}
	return f
}

var rejectionID = regexp.MustCompile(`,"requestId":"([A-Z0-9]+)"`)

func (b *testClient) next() (string, error) {
	for {
		frame, err := b.conn.Receive()
		if err != nil || b.all || !isState(frame) {
			return frame, err
		}
		b.states = append(b.states, frame)
	}
}

// wantClosed wants the connection to be closed without another frame.
func (b *testClient) wantClosed() {
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

// nextEvent returns the next event and its only argument besides the offset. Whatever test
// calls it, it checks the event against docs/contract.md#recovery.
func (b *testClient) nextEvent() (name string, payload map[string]any) {
	b.t.Helper()
	name, last := b.event()
	if err := json.Unmarshal(last, &payload); err != nil {
		b.t.Fatalf("%s carries %s", name, last)
	}
	return name, payload
}

// event returns the next event and its payload. A change of an expense has two variants
// with the same payload: it reads both and returns the first.
func (b *testClient) event() (name string, payload json.RawMessage) {
	b.t.Helper()
	name, payload = b.nextVariant()
	if kind, ok := strings.CutPrefix(name, "expense_"); ok {
		colon, same := b.nextVariant()
		if colon != "expense:"+kind || string(same) != string(payload) {
			b.t.Errorf("%s %s was followed by %s %s", name, payload, colon, same)
		}
	}
	return name, payload
}

// nextVariant returns the next event and its payload. An event of the log ends in its
// offset, which b remembers as a client does; no other argument is a string.
func (b *testClient) nextVariant() (name string, payload json.RawMessage) {
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
	return slices.ContainsFunc([]string{"expense", "budget:"}, func(p string) bool { return strings.HasPrefix(name, p) }) ||
		name == "notification"
}

// wantCreated wants expense_created for these descriptions, in this order.
func (b *testClient) wantCreated(want ...string) {
	b.t.Helper()
	var got []string
	for range want {
		name, payload := b.nextEvent()
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

// fakeReader is a reader for which each change of the log is an expense of one unit.
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

// spent returns the totals of n expenses of one unit each.
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
	d.CurrencyTotal, _ = spent(head).ForAccount(models.DefaultCurrency)
	return d, r.fail
}

// state returns the payload of the next event of this name, whatever comes before it.
func (b *testClient) state(name string) (payload map[string]any) {
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
