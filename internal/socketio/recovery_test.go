package socketio

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A memoryLog is a Recovery over lists in memory, one for each user. A position is
// the number of entries before it. Its pids and offsets are readable:
// "epoch/user/position/random" and "epoch/user/position".
type memoryLog struct {
	epoch string

	mu        sync.Mutex
	entries   map[string][]string
	first     map[string]int // entries before it are gone
	followers map[*follower]string
	rooms     map[string][]string // by pid
	pids      int
	remembers int
	err       error // of Admit and Remember
}

func newMemoryLog() *memoryLog {
	return &memoryLog{
		epoch: "e1", entries: map[string][]string{}, first: map[string]int{},
		followers: map[*follower]string{}, rooms: map[string][]string{},
	}
}

// auth is the middleware that goes with it: the token is the user's name.
func (l *memoryLog) auth(_ context.Context, s *Socket) error {
	var auth struct{ Token string }
	_ = json.Unmarshal(s.Handshake().Auth, &auth)
	if auth.Token == "" {
		return &ConnectError{Message: "Authentication error"}
	}
	s.SetData(auth.Token)
	return nil
}

func (l *memoryLog) Admit(_ context.Context, s *Socket, c Claim) (Grant, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	user := s.Data().(string)
	if l.err != nil {
		return Grant{}, l.err
	}
	at, ok := l.position(c.PID, user)
	if later, valid := l.position(c.Offset, user); valid {
		at = max(at, later)
	}
	rooms, known := l.rooms[c.PID]
	if ok && known && at >= l.first[user] && at <= len(l.entries[user]) {
		return Grant{PID: c.PID, Offset: l.offset(user, at), Recovered: true, Rooms: rooms}, nil
	}
	l.pids++
	at = len(l.entries[user])
	pid := fmt.Sprintf("%s/%d", l.offset(user, at), l.pids)
	l.rooms[pid] = nil
	return Grant{PID: pid, Offset: l.offset(user, at)}, nil
}

// position reads a pid or an offset of this epoch and user.
func (l *memoryLog) position(text, user string) (int, bool) {
	part := strings.Split(text, "/")
	if len(part) < 3 || part[0] != l.epoch || part[1] != user {
		return 0, false
	}
	at, err := strconv.Atoi(part[2])
	return at, err == nil
}

func (l *memoryLog) offset(user string, at int) string {
	return fmt.Sprintf("%s/%s/%d", l.epoch, user, at)
}

func (l *memoryLog) Follow(s *Socket) (stop func()) {
	at, _ := l.position(s.Offset(), s.Data().(string))
	f := &follower{log: l, socket: s, at: at}
	l.mu.Lock()
	l.followers[f] = s.Data().(string)
	l.mu.Unlock()
	s.OnDrain(f.deliver)
	f.deliver()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.followers, f)
	}
}

func (l *memoryLog) Remember(s *Socket, rooms []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rooms[s.PID()] = rooms
	l.remembers++
	return l.err
}

// write appends an entry to a user's log and wakes its followers.
func (l *memoryLog) write(user, entry string) {
	l.mu.Lock()
	l.entries[user] = append(l.entries[user], entry)
	var wake []*follower
	for f, of := range l.followers {
		if of == user {
			wake = append(wake, f)
		}
	}
	l.mu.Unlock()
	for _, f := range wake {
		f.deliver()
	}
}

// A follower sends one user's entries to one socket.
type follower struct {
	log    *memoryLog
	socket *Socket
	mu     sync.Mutex
	at     int
}

func (f *follower) deliver() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		p := f.next()
		if p == nil || !f.socket.TrySend(p) {
			return
		}
		f.at++
	}
}

// next is the entry that comes now, nil if there is none.
func (f *follower) next() *Packet {
	user := f.socket.Data().(string)
	f.log.mu.Lock()
	defer f.log.mu.Unlock()
	if f.at >= len(f.log.entries[user]) {
		return nil
	}
	p, err := EncodeAt("/", f.log.offset(user, f.at+1), "change", f.log.entries[user][f.at])
	if err != nil {
		panic(err)
	}
	return p
}

// A recoveringClient is what the client library keeps of a connection, to connect again
// with it.
type recoveringClient struct {
	b           *fixture
	w           *testClient
	token       string
	sid, pid    string
	offset      string
	recovered   bool
	refused     bool
	changes     []string // the entries that its handler was given
	others      []string // other events
	outOfOrder  bool     // an event came before the answer to CONNECT
	isConnected bool
}

// connect opens a connection as the client does: with pid and offset if it has any.
func (p *recoveringClient) connect() {
	p.w, p.isConnected, p.refused = p.b.dial(), false, false
	p.w.send(`0` + p.auth())
	p.read()
}

func (p *recoveringClient) auth() string {
	fields := map[string]string{"token": p.token}
	if p.pid != "" {
		fields["pid"] = p.pid
	}
	if p.offset != "" {
		fields["offset"] = p.offset
	}
	text, _ := json.Marshal(fields)
	return string(text)
}

// read takes everything that was sent.
func (p *recoveringClient) read() { p.take(p.w.received()) }

// take handles packets as the client does.
func (p *recoveringClient) take(packets []string) {
	for _, text := range packets {
		switch text[0] {
		case '0':
			var reply struct{ SID, PID string }
			_ = json.Unmarshal([]byte(text[1:]), &reply)
			p.recovered = reply.PID != "" && reply.PID == p.pid
			p.sid, p.pid, p.isConnected = reply.SID, reply.PID, true
		case '4':
			p.refused = true
		case '2':
			p.event(text[1:])
		}
	}
}

func (p *recoveringClient) event(text string) {
	if !p.isConnected {
		p.outOfOrder = true
	}
	hasID := text[0] != '['
	if hasID {
		text = text[strings.IndexByte(text, '['):]
	}
	var list []any
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		p.b.t.Errorf("event %q: %v", text, err)
	}
	if list[0] == "change" {
		p.changes = append(p.changes, list[1].(string))
	} else {
		p.others = append(p.others, text)
	}
	if last, ok := list[len(list)-1].(string); ok && !hasID {
		p.offset = last
	}
}

func (p *recoveringClient) drop() {
	p.w.drop()
	synctest.Wait()
}

// inRecovery runs fn with a server that has a log.
func inRecovery(t *testing.T, fn func(b *fixture, l *memoryLog)) {
	t.Helper()
	l := newMemoryLog()
	withServer(t, Config{Recovery: l}, func(b *fixture) {
		b.Of("/").Use(l.auth)
		fn(b, l)
	})
}

func (p *recoveringClient) expect(t *testing.T, recovered bool, changes ...string) {
	t.Helper()
	if p.recovered != recovered || !slices.Equal(p.changes, changes) || p.outOfOrder {
		t.Errorf("recovered %v with changes %q (out of order: %v), want %v with %q",
			p.recovered, p.changes, p.outOfOrder, recovered, changes)
	}
}

func TestClientComesBackToWhereItWas(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		l.write("ann", "before")
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		p.expect(t, false)
		l.write("ann", "one")
		l.write("bob", "not hers")
		p.read()
		p.expect(t, false, "one")
		sid := p.sid
		p.drop()
		l.write("ann", "two")
		l.write("ann", "three")
		p.connect()
		p.expect(t, true, "one", "two", "three")
		if p.sid != sid || p.offset != "e1/ann/4" {
			t.Errorf("sid %s, was %s; offset %s", p.sid, sid, p.offset)
		}
		l.write("ann", "four")
		p.read()
		p.expect(t, true, "one", "two", "three", "four")
	})
}

func TestClientWithoutAnOffsetComesBackToItsPID(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		l.write("ann", "before")
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		if p.offset != "" {
			t.Errorf("offset %q", p.offset)
		}
		p.drop()
		l.write("ann", "missed")
		p.connect()
		p.expect(t, true, "missed")
	})
}

func TestClaimThatDoesNotHoldBeginsAnew(t *testing.T) {
	tests := []struct {
		name   string
		tamper func(p *recoveringClient, l *memoryLog)
	}{
		{"another user's", func(p *recoveringClient, _ *memoryLog) { p.token = "bob" }},
		{"another epoch's", func(_ *recoveringClient, l *memoryLog) { l.epoch = "e2" }},
		{"older than the log", func(_ *recoveringClient, l *memoryLog) { l.first["ann"] = 3 }},
		{"beyond the log", func(_ *recoveringClient, l *memoryLog) { l.entries["ann"] = nil }},
		{"rooms forgotten", func(_ *recoveringClient, l *memoryLog) { l.rooms = map[string][]string{} }},
		{"invented", func(p *recoveringClient, _ *memoryLog) { p.pid = "x" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inRecovery(t, func(b *fixture, l *memoryLog) {
				p := &recoveringClient{b: b, token: "ann"}
				p.connect()
				l.write("ann", "one")
				p.read()
				p.drop()
				l.write("ann", "two")
				l.write("ann", "three")
				sid, pid := p.sid, p.pid
				tt.tamper(p, l)
				p.connect()
				p.expect(t, false, "one")
				if p.sid == sid || p.pid == pid || p.pid == "" {
					t.Error("the old ids are still in use")
				}
				l.write(p.token, "new")
				p.read()
				p.expect(t, false, "one", "new")
			})
		})
	}
}

func TestOffsetOfAnotherUserIsIgnored(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "bob"}
		p.connect()
		p.offset = "e1/ann/7" // of the user who was signed in before
		p.drop()
		l.write("bob", "missed")
		p.connect()
		p.expect(t, true, "missed")
	})
}

func TestClaimsThatAreNoStringsAreNone(t *testing.T) {
	inRecovery(t, func(b *fixture, _ *memoryLog) {
		for _, auth := range []string{
			`{"token":"ann","pid":7,"offset":"x"}`, `{"token":"ann","pid":null}`, `{"token":"ann","PID":"e1/ann/0/1","offset":{}}`,
			`{"token":"ann","pid":["e1/ann/0/1"]}`, `{"token":"ann","pid":"","offset":"e1/ann/0"}`,
		} {
			w := b.dial()
			w.send(`0` + auth)
			if got := w.received(); len(got) != 1 || !strings.HasPrefix(got[0], `0{"sid":"`) {
				t.Errorf("%s: heard %q", auth, got)
			}
		}
	})
}

func TestRefusedTokenKeepsPIDAndOffset(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		l.write("ann", "one")
		p.read()
		p.drop()
		l.write("ann", "two")
		p.token = ""
		p.connect()
		if !p.refused {
			t.Error("a client without a token was let in")
		}
		p.token = "ann"
		p.connect()
		p.expect(t, true, "one", "two")
	})
}

func TestTroubleOfTheRecoveryClosesTheTransport(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		l.err = errors.New("database is away")
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		p.w.expectClosed(reasonForcedServer)
		l.err = &ConnectError{Message: "no"}
		p.connect()
		if !p.refused {
			t.Error("the refusal was not sent")
		}
	})
}

// TestEventsThatWouldMoveTheOffsetCarryIt looks at each kind of event that is not
// of the log.
func TestEventsThatWouldMoveTheOffsetCarryIt(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		s := b.Of("/").socket(p.sid)
		l.write("ann", "one")
		for _, send := range []func(){
			func() { _ = s.Emit("nothing") },
			func() { _ = s.Emit("text", 1, "a") },
			func() { _ = s.Emit("number", "a", 1) },
			func() { _ = s.Emit("raw", json.RawMessage(`"a" `)) },
			func() { _ = s.Emit("list", []string{"a"}) },
			func() { _ = b.Of("/").Emit("all", "a") },
			func() { s.TrySend(mustEncode(t, "/", "try", "a")) },
			func() { ask(b.t.Context(), s, time.Second) },
		} {
			send()
			p.read()
			if p.offset != "e1/ann/1" {
				t.Fatalf("after %s the offset is %q", p.others[len(p.others)-1], p.offset)
			}
		}
		want := []string{
			`["nothing","e1/ann/1"]`, `["text",1,"a","e1/ann/1"]`, `["number","a",1]`, `["raw","a" ,"e1/ann/1"]`, `["list",["a"]]`,
			`["all","a","e1/ann/1"]`, `["try","a","e1/ann/1"]`, `["q","a"]`,
		}
		if !reflect.DeepEqual(p.others, want) {
			t.Errorf("heard %q, want %q", p.others, want)
		}
		p.drop()
		l.write("ann", "two")
		p.connect()
		p.expect(t, true, "one", "two")
	})
}

func TestEventWithoutRecoveryIsSentAsItIs(t *testing.T) {
	withServer(t, Config{}, func(b *fixture) {
		w, s := b.join("/")
		p, err := EncodeAt("/", "offset", "change", 1)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Send(p)
		w.expect(`2["change",1]`)
		if s.PID() != "" || s.Offset() != "" || s.Recovered() {
			t.Error("the socket can be recovered")
		}
	})
}

func TestSharedEventIsEncodedOnceWithItsOffset(t *testing.T) {
	p, err := EncodeAt("/", "o", "change", binaryJSON(`$0`, "x"))
	if err != nil {
		t.Fatal(err)
	}
	plain, stamped := p.group(parserJSON), p.groupWithOffset(parserJSON, "o")
	if p.groupWithOffset(parserJSON, "o") != stamped || p.group(parserJSON) != plain {
		t.Error("two groups of one event")
	}
	if got := string(stamped.Messages()[0].Data); got != `51-["change",{"_placeholder":true,"num":0},"o"]` {
		t.Errorf("sent %s", got)
	}
}

func TestDroppedEventDoesNotMoveTheOffset(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		s := b.Of("/").socket(p.sid)
		p.w.limit = 1 // full
		l.write("ann", "one")
		l.write("ann", "two")
		if s.Offset() != "e1/ann/0" {
			t.Errorf("offset %q", s.Offset())
		}
		p.w.limit = 0
		p.w.drain()
		p.read()
		p.expect(t, false, "one", "two")
	})
}

func TestMissedEventsGoOutAsTheQueueDrains(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		p.drop()
		var want []string
		for i := range 1000 {
			l.write("ann", fmt.Sprint(i))
			want = append(want, fmt.Sprint(i))
		}
		p.w = b.dial()
		p.w.limit = 10_000
		p.w.send(`0` + p.auth())
		for range 1000 {
			p.read()
			if p.w.queuedBytes() > 10_500 {
				t.Fatalf("%d bytes are queued", p.w.queuedBytes())
			}
			p.w.drain()
		}
		p.expect(t, true, want...)
	})
}

func TestRoomsOfRunTimeComeBack(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		var seen [][]string
		b.Of("/").OnConnect(func(s *Socket) {
			seen = append(seen, s.Rooms()[1:])
			_ = s.Join("user:" + s.Data().(string))
		})
		b.Of("/").On("join", func(_ context.Context, e *Event) {
			var room string
			_ = e.Decode(0, &room)
			_ = e.Ack(e.Socket().Join(room) == nil)
		})
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		for _, room := range []string{"a", "b", "c"} {
			p.w.send(fmt.Sprintf(`21["join",%q]`, room))
		}
		synctest.Wait()
		_ = b.Of("/").socket(p.sid).Leave("b")
		if got := l.rooms[p.pid]; !slices.Equal(sorted(got), []string{"a", "c"}) {
			t.Errorf("remembered %q", got)
		}
		p.drop()
		p.connect()
		s := b.Of("/").socket(p.sid)
		if got := sorted(s.Rooms()[1:]); !s.Recovered() || !slices.Equal(got, []string{"a", "c", "user:ann"}) {
			t.Errorf("rooms %q", got)
		}
		if want := [][]string{{}, {"a", "c"}}; !slices.Equal(sorted(seen[1]), want[1]) || len(seen[0]) != 0 {
			t.Errorf("OnConnect saw %q", seen)
		}
		l.err = errors.New("disk full")
		if err := s.Join("d"); err == nil {
			t.Error("Join hides that the room is not remembered")
		}
	})
}

func TestLeavingAForeignRoomWritesToTheDatabase(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		s := b.Of("/").socket(p.sid)
		_, _ = s.Join("a"), s.Join("a")
		_ = s.Leave("b")
		if l.remembers != 1 {
			t.Errorf("remembered %d times", l.remembers)
		}
		l.err = errors.New("disk full")
		_ = s.Join("c")
		l.err = nil
		_ = s.Leave("c") // what the failure left there is not known
		if got := l.rooms[p.pid]; l.remembers != 3 || !slices.Equal(got, []string{"a"}) {
			t.Errorf("remembered %q after %d times", got, l.remembers)
		}
	})
}

func TestARoomThatOnConnectLeftWasStillRemembered(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		b.Of("/").OnConnect(func(s *Socket) { _ = s.Leave("a") })
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		for _, room := range []string{"a", "b"} {
			if err := b.Of("/").socket(p.sid).Join(room); err != nil {
				t.Fatal(err)
			}
		}
		p.drop()
		p.connect()
		if got := l.rooms[p.pid]; !slices.Equal(got, []string{"b"}) {
			t.Errorf("remembered %q", got)
		}
	})
}

// TestNewestConnectionOwnsTheID is a client whose old connection hangs: it comes
// back on a new one before the server knows.
func TestNewestConnectionOwnsTheID(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		var reasons []string
		b.Of("/").OnConnect(func(s *Socket) {
			s.OnDisconnect(func(reason string) { reasons = append(reasons, reason) })
		})
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		old, oldSocket := p.w, b.Of("/").socket(p.sid)
		p.connect()
		p.expect(t, true)
		fresh := b.Of("/").socket(p.sid)
		if fresh == oldSocket || fresh == nil || !fresh.Connected() || oldSocket.Connected() {
			t.Error("the older connection owns the id")
		}
		old.expect()
		old.expectClosed(reasonForced)
		if !slices.Equal(reasons, []string{ReasonReplaced}) {
			t.Errorf("reasons %q", reasons)
		}
		_ = b.Of("/").To(p.sid).Emit("direct", 1)
		p.read()
		if b.Of("/").len() != 1 || len(p.others) != 1 {
			t.Errorf("%d sockets; heard %q", b.Of("/").len(), p.others)
		}
		old.closings.Wait() // its end must not take the new one's place
		if b.Of("/").socket(p.sid) != fresh {
			t.Error("the older connection took the id along")
		}
		l.write("ann", "one")
		p.read()
		p.expect(t, true, "one")
	})
}

func TestClientMayComeBackOnTheSameConnection(t *testing.T) {
	inRecovery(t, func(b *fixture, l *memoryLog) {
		p := &recoveringClient{b: b, token: "ann"}
		p.connect()
		p.w.send(`1`, `0`+p.auth())
		p.read()
		p.expect(t, true)
		p.w.expectOpen()
		l.write("ann", "one")
		p.read()
		p.expect(t, true, "one")
		if b.Of("/").len() != 1 || len(l.followers) != 1 {
			t.Errorf("%d sockets, %d followers", b.Of("/").len(), len(l.followers))
		}
	})
}

func TestPanickingRecoveryHarmsOneConnection(t *testing.T) {
	withServer(t, Config{Recovery: panicking{}}, func(b *fixture) {
		w := b.dial()
		w.send(`0`)
		w.expectClosed(reasonForcedServer)
	})
}

type panicking struct{}

func (panicking) Admit(context.Context, *Socket, Claim) (Grant, error) { panic("x") }
func (panicking) Follow(*Socket) func()                                { panic("x") }
func (panicking) Remember(*Socket, []string) error                     { panic("x") }

// A step of a simulated client.
type step struct {
	kind    int     // see act
	arrived float64 // of a cut: which part of what was sent
	noticed bool    // of a cut: the server knows before the client is back
}

func genStep() *rapid.Generator[step] {
	return rapid.Custom(func(t *rapid.T) step {
		return step{
			kind:    rapid.IntRange(0, 4).Draw(t, "kind"),
			arrived: rapid.Float64Range(0, 1).Draw(t, "arrived"),
			noticed: rapid.Bool().Draw(t, "noticed"),
		}
	})
}

// TestNothingIsLostAndNothingTwice lets a client lose its connection at any point:
// what was sent arrives up to some packet, and no further. However often that
// happens, its handlers see every entry of the log once and in order.
func TestNothingIsLostAndNothingTwice(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		day := rapid.SliceOfN(genStep(), 1, 30).Draw(rt, "day")
		var handled, written []string
		inRecovery(t, func(b *fixture, l *memoryLog) {
			p := &recoveringClient{b: b, token: "ann"}
			p.connect()
			for _, s := range day {
				s.act(p, l)
			}
			step{kind: 4, arrived: 1}.act(p, l)
			p.read()
			handled, written = p.changes, l.entries["ann"]
			if p.outOfOrder {
				t.Error("an event came before the answer to CONNECT")
			}
		})
		if !slices.Equal(handled, written) {
			rt.Fatalf("handled %q of %q", handled, written)
		}
	})
}

// act does the step. A cut ends the connection while some of what was sent is still
// on its way, maybe even the answer to CONNECT, and connects again.
func (s step) act(p *recoveringClient, l *memoryLog) {
	switch s.kind {
	case 0, 1:
		l.write("ann", fmt.Sprint(len(l.entries["ann"])))
	case 2:
		_ = p.b.Of("/").Emit("noise", "text")
	case 3:
		p.read()
	case 4:
		sent := p.w.received()
		p.take(sent[:int(s.arrived*float64(len(sent)))])
		if s.noticed {
			p.drop()
		}
		p.connect()
	}
}
