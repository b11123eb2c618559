package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// The membership of the processes of a fakeCluster.
const (
	fakeHeartbeat = 3 * time.Second
	fakeDeadAfter = 10 * time.Second
)

// A fakeCluster is what several processes share: database and hint bus, in memory.
type fakeCluster struct {
	mu        sync.Mutex
	processes map[string]*fakeProcess
	version   int64 // of the status
	status    string
	loses     bool // hints
	reads     int  // of PresentElsewhere
	readTime  time.Duration
}

func newFakeCluster() *fakeCluster { return &fakeCluster{processes: make(map[string]*fakeProcess)} }

// A fakeProcess is one process's row, and its peerStore.
type fakeProcess struct {
	cluster *fakeCluster
	id      string

	// Guarded by cluster.mu.
	row      models.PresenceVersion
	known    int64 // the generation that the process itself knows of
	beat     time.Time
	rows     map[presentKey]models.Present
	cut      bool // from database and hint bus
	receive  func(from, kind string, data json.RawMessage)
	announce int // statements
	reads    int // of PresentElsewhere
}

var errCut = errors.New("cut from the cluster")

func (p *fakeProcess) lives() bool { return p.row.Generation > 0 && time.Since(p.beat) < fakeDeadAfter }

// heartbeat is that of the process, which begins a generation if it counts as dead.
func (p *fakeProcess) heartbeat() (renewed bool) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut {
		return false
	}
	if renewed = !p.lives(); renewed {
		p.row = models.PresenceVersion{Generation: p.row.Generation + 1}
		clear(p.rows)
	}
	p.beat = time.Now()
	return renewed
}

// know takes over the generation that a heartbeat began.
func (p *fakeProcess) know() {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	p.known = p.row.Generation
}

// publish is Cluster.Publish.
func (p *fakeProcess) publish(kind string, data any) {
	b, err := json.Marshal(data)
	if err != nil {
		panic(err)
	}
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut || p.cluster.loses {
		return
	}
	for _, other := range p.cluster.processes {
		if other != p && !other.cut && other.receive != nil {
			go other.receive(p.id, kind, b)
		}
	}
}

// Announce implements peerStore.
func (p *fakeProcess) Announce(_ context.Context, here, gone []models.Present) (models.PresenceVersion, error) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut || !p.lives() {
		return models.PresenceVersion{}, errCut
	}
	p.announce++
	p.row.Version++
	for _, n := range gone {
		delete(p.rows, announcement{Present: n}.key())
	}
	for _, n := range here {
		p.rows[announcement{Present: n}.key()] = n
	}
	return p.row, nil
}

// PresentElsewhere implements peerStore.
func (p *fakeProcess) PresentElsewhere(_ context.Context, rooms []string) (there []models.Present, err error) {
	p.cluster.mu.Lock()
	p.reads++
	readTime := p.cluster.readTime
	p.cluster.mu.Unlock()
	time.Sleep(readTime)
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut || !p.lives() {
		return nil, errCut
	}
	p.cluster.reads++
	for _, other := range p.cluster.processes {
		if other == p || !other.lives() {
			continue
		}
		for key, n := range other.rows {
			if slices.Contains(rooms, key.room) {
				there = append(there, n)
			}
		}
	}
	return there, nil
}

// Peers implements peerStore.
func (p *fakeProcess) Peers(context.Context) (models.Peers, error) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut {
		return models.Peers{}, errCut
	}
	all := models.Peers{Member: p.lives() && p.known == p.row.Generation, Others: map[string]models.PresenceVersion{}}
	for id, other := range p.cluster.processes {
		if other != p && other.lives() {
			all.Others[id] = other.row
		}
	}
	all.StatusVersion, all.Status = p.cluster.version, p.cluster.status
	return all, nil
}

// SetStatus implements peerStore.
func (p *fakeProcess) SetStatus(_ context.Context, status string) (int64, error) {
	p.cluster.mu.Lock()
	defer p.cluster.mu.Unlock()
	if p.cut {
		return 0, errCut
	}
	p.cluster.version++
	p.cluster.status = status
	return p.cluster.version, nil
}

// A node is a process of a cluster: a Hub without a network that records what is sent.
type node struct {
	*Hub
	*fakeProcess
	stop context.CancelFunc

	recorded sync.Mutex
	presence map[string][][]string // devices in each presence:update that a user was sent
	heard    []string              // events and users in rooms, as "session event user"
	statuses []string
	open     []*session
}

// start adds a process to the cluster. It is to be killed.
func (c *fakeCluster) start(id string) *node {
	p := &fakeProcess{cluster: c, id: id, rows: make(map[presentKey]models.Present)}
	n := &node{fakeProcess: p, presence: make(map[string][][]string)}
	h := &Hub{
		log: slog.New(slog.DiscardHandler), rooms: newRooms(), tasks: newTaskGroup(), sessions: newSessionRegistry(0),
		opts: Options{Expenses: &fakeExpenses{}}, status: newServiceStatus(n.recordStatus),
	}
	n.Hub = h
	h.presence = &presence{
		send: func(userID string, _ *socketio.Packet) { n.recordPresence(userID) }, record: func(*session) {},
		sendTo: func(s *session, _ *socketio.Packet) { n.recordPresence(s.userID) },
		users:  make(map[string]deviceSet),
	}
	h.rooms.deliver = n.recordRoom
	h.joinCluster(&Cluster{Process: id, Store: p, Publish: p.publish})
	c.mu.Lock()
	c.processes[id] = p
	p.receive = h.Receive
	c.mu.Unlock()
	p.heartbeat()
	p.know()
	var ctx context.Context
	ctx, n.stop = context.WithCancel(context.Background())
	go func() { _ = h.Run(ctx) }()
	go n.beatRegularly(ctx)
	return n
}

func (n *node) beatRegularly(ctx context.Context) {
	tick := time.NewTicker(fakeHeartbeat)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			n.beatOnce()
		case <-ctx.Done():
			return
		}
	}
}

func (n *node) beatOnce() {
	if n.heartbeat() {
		n.Renew()
		n.know()
	}
}

// kill ends the process at once.
func (n *node) kill() {
	n.setCut(true)
	n.stop()
	n.peers.stop()
	n.relay.stop()
	n.shared.stop()
	n.tasks.stop()
	n.open = nil
}

// setCut cuts the process from the others, or ends that.
func (n *node) setCut(cut bool) {
	n.cluster.mu.Lock()
	n.cut = cut
	n.cluster.mu.Unlock()
	if !cut {
		n.beatOnce()
	}
}

func (n *node) recordPresence(userID string) {
	devices := names(n.Hub.presence.document(userID))
	n.recorded.Lock()
	defer n.recorded.Unlock()
	n.presence[userID] = append(n.presence[userID], devices)
}

func names(p wire.Presence) []string {
	devices := []string{}
	for _, d := range p.Devices {
		devices = append(devices, d.DeviceID)
	}
	slices.Sort(devices)
	return devices
}

func (n *node) recordRoom(s *session, p *socketio.Packet) {
	n.recorded.Lock()
	defer n.recorded.Unlock()
	n.heard = append(n.heard, s.device+" "+packetText(p))
}

func (n *node) recordStatus(p *socketio.Packet) {
	n.recorded.Lock()
	defer n.recorded.Unlock()
	n.statuses = append(n.statuses, packetText(p))
}

// sent returns what presence:update said to a user so far.
func (n *node) sent(userID string) [][]string {
	n.recorded.Lock()
	defer n.recorded.Unlock()
	return slices.Clone(n.presence[userID])
}

// hears returns how often a session of a device was sent something with this text.
func (n *node) hears(device, text string) (times int) {
	n.recorded.Lock()
	defer n.recorded.Unlock()
	for _, h := range n.heard {
		if strings.HasPrefix(h, device+" ") && strings.Contains(h, text) {
			times++
		}
	}
	return times
}

// connect opens a socket of a user's device.
func (n *node) connect(userID, device string) *session {
	s := sessionOn(userID, device)
	n.open = append(n.open, s)
	n.Hub.presence.arrive(s)
	return s
}

func (n *node) join(s *session) []wire.Participant {
	members, _ := n.rooms.join(s, n.rooms.beginJoin(s.userID, lunch), 0)
	return members
}

// disconnect closes a socket.
func (n *node) disconnect(s *session) {
	s.life.finish(ended)
	n.open = slices.DeleteFunc(n.open, func(o *session) bool { return o == s })
	n.rooms.depart(s)
	n.Hub.presence.depart(s)
}

// devices returns which devices of a user are present, as the process knows it.
func (n *node) devices(userID string) []string { return names(n.Presence(userID)) }

// members returns who is in the room, as the process knows it: "user device".
func (n *node) members() []string {
	n.rooms.mu.Lock()
	defer n.rooms.mu.Unlock()
	all := []string{}
	for key := range n.rooms.byExpense[lunch] {
		all = append(all, key.userID+" "+key.device)
	}
	slices.Sort(all)
	return all
}

// inCluster runs fn beside processes with these ids in a bubble, and kills them in the end.
func inCluster(t *testing.T, fn func(c *fakeCluster, nodes ...*node), ids ...string) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		c := newFakeCluster()
		var nodes []*node
		for _, id := range ids {
			nodes = append(nodes, c.start(id))
			time.Sleep(700 * time.Millisecond)
		}
		fn(c, nodes...)
		for _, n := range nodes {
			n.kill()
		}
	})
}

// settle waits until everything that is on its way has arrived, with hints.
func settle() {
	time.Sleep(500 * time.Millisecond)
	synctest.Wait()
}

// packetText shows a packet's unexported JSON as text.
func packetText(p *socketio.Packet) string {
	return fmt.Sprintf("%s", any(p)) //nolint:staticcheck // %v would print bytes as numbers
}

func TestDevicesOfAllProcessesArePresent(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		a.connect("alice", "phone")
		settle()
		laptop := b.connect("alice", "laptop")
		settle()
		both := []string{"laptop", "phone"}
		same(t, "first process", both, a.devices("alice"))
		same(t, "second process", both, b.devices("alice"))
		same(t, "sent by the first", [][]string{{"phone"}, both}, a.sent("alice"))
		same(t, "sent by the second, once", [][]string{both}, b.sent("alice"))
		b.disconnect(laptop)
		time.Sleep(gracePeriod)
		same(t, "within the grace period", both, a.devices("alice"))
		time.Sleep(moveTime)
		settle()
		same(t, "sent by the first", [][]string{{"phone"}, both, {"phone"}}, a.sent("alice"))
		same(t, "asked where alice has no socket", []string{"phone"}, b.devices("alice"))
	}, "a", "b")
}

func TestADeviceThatMovesToAnotherProcessIsNeverGone(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		nodes[2].connect("alice", "desk")
		settle()
		phone := nodes[0].connect("alice", "phone")
		settle()
		for i := range 20 {
			nodes[i%2].disconnect(phone)
			time.Sleep(gracePeriod - 10*time.Millisecond)
			phone = nodes[(i+1)%2].connect("alice", "phone")
			time.Sleep(time.Duration(i) * time.Second / 2)
		}
		time.Sleep(10 * time.Second)
		for _, n := range nodes {
			for _, devices := range n.sent("alice")[1:] {
				if !slices.Contains(devices, "phone") || !slices.Contains(devices, "desk") {
					t.Errorf("%s said %q", n.id, devices)
				}
			}
		}
		same(t, "sent to the desk", 2, len(nodes[2].sent("alice")))
	}, "a", "b", "c")
}

func TestDevicesOfAKilledProcessVanishForEverybody(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		a.join(a.connect("alice", "phone"))
		b.join(b.connect("alice", "laptop"))
		settle()
		same(t, "in the room", []string{"alice laptop", "alice phone"}, b.members())
		a.kill()
		time.Sleep(12 * time.Second)
		synctest.Wait()
		same(t, "present", []string{"laptop"}, b.devices("alice"))
		same(t, "in the room", []string{"alice laptop"}, b.members())
	}, "a", "b")
}

func TestAHintThatIsLostLeavesNoGhost(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		phone := a.connect("alice", "phone")
		a.join(phone)
		b.join(b.connect("alice", "laptop"))
		settle()
		c.mu.Lock()
		c.loses = true
		c.mu.Unlock()
		a.disconnect(phone)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		same(t, "present", []string{"laptop"}, b.devices("alice"))
		same(t, "in the room", []string{"alice laptop"}, b.members())
		a.connect("alice", "tablet")
		time.Sleep(4 * time.Second)
		synctest.Wait()
		same(t, "present", []string{"laptop", "tablet"}, b.devices("alice"))
	}, "a", "b")
}

// While no hints come, because Redis is dead or somebody breaks its connections again and
// again, each comparison finds that one was missed. Where very many users are online, to read
// them all each time would leave the database nothing else to do.
func TestWithoutHintsTheDatabaseIsNotKeptBusy(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		b.connect("alice", "laptop")
		settle()
		c.mu.Lock()
		c.loses, c.readTime, b.reads = true, 400*time.Millisecond, 0
		c.mu.Unlock()
		for i := range 120 {
			s := a.connect(fmt.Sprint("user ", i), "phone")
			time.Sleep(500 * time.Millisecond)
			a.disconnect(s)
			b.HintsMissed()
		}
		c.mu.Lock()
		reads := b.reads
		c.mu.Unlock()
		if reads < 5 || reads > 16 {
			t.Errorf("all rooms were read %d times in a minute", reads)
		}
		a.connect("alice", "phone")
		time.Sleep(8 * time.Second)
		synctest.Wait()
		same(t, "present", []string{"laptop", "phone"}, b.devices("alice"))
	}, "a", "b")
}

// A process that was paused for long counted as dead, so its devices were gone.
func TestAProcessThatWasPausedTellsAnewWhoIsThere(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		a.connect("alice", "phone")
		b.connect("alice", "laptop")
		settle()
		a.setCut(true)
		time.Sleep(15 * time.Second)
		same(t, "present meanwhile", []string{"laptop"}, b.devices("alice"))
		b.connect("alice", "tablet")
		a.setCut(false)
		time.Sleep(12 * time.Second)
		for _, n := range nodes {
			same(t, "present", []string{"laptop", "phone", "tablet"}, n.devices("alice"))
		}
	}, "a", "b")
}

// After a crash of the database its tables of processes are empty.
func TestDevicesAreNotGoneWhenTheDatabaseForgotThem(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		for i, n := range nodes {
			n.connect("alice", fmt.Sprint("device ", i))
		}
		settle()
		c.mu.Lock()
		for _, p := range c.processes {
			p.row.Version, p.beat = 0, time.Time{}
			clear(p.rows)
		}
		c.mu.Unlock()
		time.Sleep(12 * time.Second)
		synctest.Wait()
		for _, n := range nodes {
			same(t, "present", 3, len(n.devices("alice")))
			last := 0
			for _, devices := range n.sent("alice") {
				if last = max(last, len(devices)); len(devices) < last {
					t.Errorf("%s said %q", n.id, devices)
				}
			}
		}
	}, "a", "b", "c")
}

func TestUsersThatConnectTogetherAreReadTogether(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a := nodes[0]
		for i := range 500 {
			a.connect(fmt.Sprint("user ", i), "phone")
		}
		settle()
		c.mu.Lock()
		defer c.mu.Unlock()
		same(t, "statements that read", 1, c.reads)
		if want := (500 + maxAnnounced - 1) / maxAnnounced; a.announce != want {
			t.Errorf("%d statements that write, want %d", a.announce, want)
		}
	}, "a", "b")
}

func TestNothingIsWrittenForADeviceThatStays(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a := nodes[0]
		a.connect("alice", "phone")
		settle()
		for range 100 { // reloads
			s := a.connect("alice", "phone")
			time.Sleep(time.Second)
			a.disconnect(s)
			time.Sleep(time.Second)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		same(t, "statements", []int{1, 1}, []int{a.announce, c.reads})
	}, "a", "b")
}

func TestPeopleInARoomSeeThoseOfOtherProcesses(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		alice := a.connect("alice", "phone")
		a.join(alice)
		settle()
		bob := b.connect("bob", "desk")
		b.join(bob)
		same(t, "answer", 2, len(b.rooms.withElsewhere(context.Background(), bob, lunch, nil)))
		settle()
		same(t, "bob came", 1, a.hears("phone", joinedEvent))
		same(t, "alice was there before", 0, b.hears("desk", joinedEvent))
		b.join(b.connect("bob", "tablet")) // nobody new, to alice
		settle()
		same(t, "bob came", 1, a.hears("phone", joinedEvent))
		b.rooms.leave(bob, lunch)
		settle()
		same(t, "bob left with one device", 0, a.hears("phone", leftEvent))
		for _, s := range slices.Clone(b.open) {
			b.disconnect(s)
		}
		time.Sleep(gracePeriod + moveTime)
		settle()
		same(t, "bob left", 1, a.hears("phone", leftEvent))
		same(t, "members", []string{"alice phone"}, a.members())
	}, "a", "b")
}

func TestActivityAndTypingReachOtherProcesses(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		for _, n := range nodes {
			e := n.opts.Expenses.(*fakeExpenses)
			e.grant("alice", lunch, models.RoleOwner)
			e.grant("bob", lunch, models.RoleViewer)
		}
		alice := a.connect("alice", "phone")
		a.join(alice)
		b.join(b.connect("bob", "desk"))
		b.join(b.connect("carol", "spy")) // whose right has ended
		settle()
		comment := models.Activity{
			ExpenseID: lunch, UserID: "alice", UserName: "ALICE", Type: models.ActivityComment, Text: "<hi>", At: time.Now(),
		}
		a.SendActivity(comment)
		m, relay := a.rooms.sendTyping(alice, wire.ActivityCommand{
			ExpenseID: lunch, Type: models.ActivityTyping, Data: json.RawMessage("{}"),
		}, []string{"alice", "bob"}, time.Now())
		same(t, "somebody elsewhere", true, relay)
		a.relay.send(m)
		a.relay.send(m) // as another process of a user who types in two
		settle()
		same(t, "comment and typing", []int{1, 1}, []int{b.hears("desk", `"comment"`), b.hears("desk", `"typing"`)})
		same(t, "without a right", 0, b.hears("spy", activityEvent))
		comment.ExpenseID = "of nobody"
		reads := c.reads
		for range 100 {
			a.SendActivity(comment)
		}
		settle()
		same(t, "statements for a hundred activities", 1, c.reads-reads)
	}, "a", "b")
}

func TestTheOperatorsStatusIsThatOfAllProcesses(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		a.Hub.SetStatus(wire.Status{Status: wire.StatusDegraded, Message: "slow"})
		settle()
		c.mu.Lock()
		c.loses = true
		c.mu.Unlock()
		b.Hub.SetStatus(wire.Status{Status: wire.StatusOK, Message: "fine again"})
		time.Sleep(2 * time.Second)
		late := c.start("c")
		settle()
		for _, n := range []*node{a, b, late} {
			n.recorded.Lock()
			last := n.statuses[len(n.statuses)-1]
			n.recorded.Unlock()
			if !strings.Contains(last, "fine again") {
				t.Errorf("%s says %s", n.id, last)
			}
		}
		same(t, "sent by each", []int{2, 2, 1}, []int{len(a.statuses), len(b.statuses), len(late.statuses)})
		late.kill()
	}, "a", "b")
}

func TestASurveyNamesWhoDoesNotAnswer(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		b.sessions.add(&session{userID: "alice"}, 0, "")
		b.sessions.add(&session{userID: "alice"}, 0, "")
		all := a.Connections(context.Background())
		want := []wire.ProcessConnections{{ID: "a"}, {ID: "b", Sockets: 2, Users: 1}, {ID: "c"}}
		same(t, "everybody", wire.NewConnections(want, nil), all)
		b.setCut(true)
		began := time.Now()
		all = a.Connections(context.Background())
		same(t, "without one", wire.NewConnections([]wire.ProcessConnections{{ID: "a"}, {ID: "c"}}, []string{"b"}), all)
		same(t, "waited", surveyTime, time.Since(began))
	}, "a", "b", "c")
}

func TestSocketsInOtherProcessesCountTowardsTheLimit(t *testing.T) {
	inCluster(t, func(c *fakeCluster, nodes ...*node) {
		a, b := nodes[0], nodes[1]
		b.sessions.limit = 30
		for range 25 {
			a.connect("alice", "phone")
		}
		b.connect("alice", "laptop")
		settle()
		same(t, "known elsewhere", 20, b.Hub.presence.socketsElsewhere("alice"))
		for range 10 {
			same(t, "added", registered, b.sessions.add(&session{userID: "alice"}, 0, ""))
		}
		same(t, "one more", overLimit, b.sessions.add(&session{userID: "alice"}, 0, ""))
		same(t, "one that moves here", registered, b.sessions.add(&session{userID: "alice"}, 0, "pid"))
		for _, s := range slices.Clone(a.open) {
			a.disconnect(s)
		}
		settle()
		same(t, "known elsewhere", 0, b.Hub.presence.socketsElsewhere("alice"))
	}, "a", "b")
}

func TestWhatAHubOfTheOnlyProcessIgnores(t *testing.T) {
	h := &Hub{}
	for _, kind := range HintKinds {
		h.Receive("b", kind, json.RawMessage(`{}`))
	}
	h.HintsMissed()
	h.Renew()
	same(t, "Run", nil, h.Run(t.Context()))
}

// FuzzReceive gives a Hub hints of processes of other versions.
func FuzzReceive(f *testing.F) {
	for _, kind := range HintKinds {
		f.Add(kind, `{"Version":1,"Generation":1,"Rooms":["user:alice"],"ExpenseID":"`+lunch+`","ID":"x"}`)
	}
	f.Add(roomHint, `{"ExpenseID":"`+lunch+`","UserID":"alice","Type":"typing","Data":null}`)
	f.Add(presenceHint, `null`)
	f.Fuzz(func(t *testing.T, kind, data string) {
		if !json.Valid([]byte(data)) {
			return
		}
		n := newFakeCluster().start("a")
		defer n.kill()
		n.opts.Expenses.(*fakeExpenses).grant("alice", lunch, models.RoleOwner)
		n.join(n.connect("alice", "phone"))
		n.Receive("b", kind, json.RawMessage(data))
	})
}
