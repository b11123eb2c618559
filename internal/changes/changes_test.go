package changes_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/changes"
	"expenseflow/models"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeSource is a Source in memory that counts reads and fails on demand.
type fakeSource struct {
	mu     sync.Mutex
	of     map[string][]models.Change
	moved  []string // by position
	origin int      // of the positions
	reads  int
	heads  int // users whose heads were asked for
	moves  int
	err    error
	noHead error // of Heads alone

	headTime time.Duration // how long Heads takes
}

func newFakeSource() *fakeSource { return &fakeSource{of: map[string][]models.Change{}} }

func (l *fakeSource) add(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moved = append(l.moved, userID)
	l.addUntold(userID)
}

// addUntold adds a change of which Moves says nothing. The caller must hold mu.
func (l *fakeSource) addUntold(userID string) {
	l.of[userID] = append(l.of[userID], models.Change{UserID: userID, Seq: int64(len(l.of[userID])) + 1})
}

// lose adds a change as if the move of it had been lost.
func (l *fakeSource) lose(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addUntold(userID)
}

func (l *fakeSource) failWith(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *fakeSource) counts() (reads, heads int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads, l.heads
}

func (l *fakeSource) polls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.moves
}

func (l *fakeSource) Changes(_ context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.err != nil {
		return nil, l.err
	}
	log := l.of[userID]
	from := min(int(after), len(log))
	return slices.Clone(log[from:min(from+limit, len(log))]), nil
}

func (l *fakeSource) Heads(_ context.Context, userIDs []string) (map[string]int64, error) {
	time.Sleep(l.headTime)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heads += len(userIDs)
	if err := cmp.Or(l.err, l.noHead); err != nil {
		return nil, err
	}
	heads := map[string]int64{}
	for _, id := range userIDs {
		heads[id] = int64(len(l.of[id]))
	}
	return heads, nil
}

func (l *fakeSource) Moves(_ context.Context, from models.MoveCursor) ([]string, models.MoveCursor, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.moves++
	if l.err != nil {
		return nil, from, false, l.err
	}
	next := models.MoveCursor{Origin: fmt.Sprintf("fake %d", l.origin), Position: strconv.Itoa(len(l.moved))}
	if from.Origin != next.Origin {
		return nil, next, true, nil
	}
	position, err := strconv.Atoi(from.Position)
	return slices.Clone(l.moved[position:]), next, false, err
}

// A subscription is a changes.Subscription of whatever changes are encoded as.
type subscription interface {
	Resume()
	Close()
	Position() int64
}

// A recorder is a subscriber that records the changes it gets, and takes at most room.
type recorder struct {
	subscription
	from int64
	mu   sync.Mutex
	got  []int64
	room int
	lost int // how often it was told that it cannot go on
}

const unlimited = 1 << 30

func subscribe[E any](tail *changes.Tail[E], userID string, from int64) *recorder {
	l := &recorder{from: from, room: unlimited}
	l.subscription = tail.Subscribe(userID, from, from+1, func(page []changes.Item[E]) int {
		l.mu.Lock()
		defer l.mu.Unlock()
		n := min(len(page), l.room)
		for _, item := range page[:n] {
			l.got = append(l.got, item.Seq)
		}
		l.room -= n
		return n
	}, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lost++
	})
	return l
}

func (l *recorder) setRoom(n int) {
	l.mu.Lock()
	l.room = n
	l.mu.Unlock()
}

// missing reports whether it got anything but the changes from+1 to head, in order.
func (l *recorder) missing(head int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.inOrder() || l.from+int64(len(l.got)) != max(head, l.from)
}

func (l *recorder) inOrder() bool {
	for i, seq := range l.got {
		if seq != l.from+int64(i)+1 {
			return false
		}
	}
	return true
}

func encode(page []models.Change) []int64 {
	sequences := make([]int64, len(page))
	for i, c := range page {
		sequences[i] = c.Seq
	}
	return sequences
}

// startTail runs a Tail over src in the fake time of a test, and stops it at its end.
func startTail(t *testing.T, src changes.Source, o changes.Options) *changes.Tail[int64] {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	tail := changes.New(src, encode, o)
	runTail(t, tail)
	return tail
}

// runTail runs a tail for the rest of the test.
func runTail[E any](t *testing.T, tail *changes.Tail[E]) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tail.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
}

func TestWakeDeliversAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		l := subscribe(tail, "alice", 0)
		stranger := subscribe(tail, "bob", 0)
		synctest.Wait()
		start := time.Now()
		src.add("alice")
		tail.Wake("alice")
		synctest.Wait()
		if l.missing(1) || time.Since(start) != 0 {
			t.Errorf("got %v after %v", l.got, time.Since(start))
		}
		if len(stranger.got) != 0 {
			t.Errorf("another user heard %v", stranger.got)
		}
	})
}

func TestADatabaseThatIsAwayIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		src := newFakeSource()
		src.failWith(errors.New("away"))
		tail := startTail(t, src, changes.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		subscribe(tail, "alice", 0)
		time.Sleep(2*time.Minute + time.Second)
		synctest.Wait()
		if n := strings.Count(log.String(), "cannot be asked for changes"); n < 2 || n > 3 {
			t.Errorf("it was logged %d times:\n%s", n, log.String())
		}
	})
}

func TestALostWakeIsNoticedByThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		l := subscribe(tail, "alice", 0)
		synctest.Wait()
		src.add("alice")
		time.Sleep(time.Second)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

func TestUsersOfAHintAreServedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		alice, bob := subscribe(tail, "alice", 0), subscribe(tail, "bob", 0)
		synctest.Wait()
		start := time.Now()
		src.add("alice")
		src.add("bob")
		tail.Hinted([]string{"alice", "carol", "bob"})
		synctest.Wait()
		if alice.missing(1) || bob.missing(1) || time.Since(start) != 0 {
			t.Errorf("got %v and %v after %v", alice.got, bob.got, time.Since(start))
		}
	})
}

// However many subscribe, while nothing happens the store gets one statement a second.
func TestThePollDoesNotCostMoreWithMoreSubscribers(t *testing.T) {
	for _, subscribers := range []int{1, 1000} {
		synctest.Test(t, func(t *testing.T) {
			src := newFakeSource()
			tail := startTail(t, src, changes.Options{})
			for i := range subscribers {
				subscribe(tail, fmt.Sprintf("user %d", i), 0)
			}
			time.Sleep(5*time.Second + time.Millisecond)
			src.mu.Lock()
			src.reads, src.heads, src.moves = 0, 0, 0
			src.mu.Unlock()
			time.Sleep(time.Minute)
			if reads, heads := src.counts(); reads != 0 || heads != 0 || src.moves != 60 {
				t.Errorf("%d subscribers, a minute: %d reads, %d heads, %d moves", subscribers, reads, heads, src.moves)
			}
			src.add("user 0")
			time.Sleep(time.Second)
			if reads, heads := src.counts(); reads != 1 || heads != 1 {
				t.Errorf("%d subscribers, one change: %d reads, %d heads", subscribers, reads, heads)
			}
		})
	}
}

// Who could not be told of a change is found by comparing all logs, and counted.
func TestMissedHintsMakeAllLogsBeCompared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		alice, bob := subscribe(tail, "alice", 0), subscribe(tail, "bob", 0)
		time.Sleep(time.Second + time.Millisecond)
		before := tail.Stats().Comparisons
		src.lose("alice")
		time.Sleep(10 * time.Second)
		if !alice.missing(1) {
			t.Fatal("it was told of the change: the test tests nothing")
		}
		src.mu.Lock()
		src.noHead = models.E(models.Unavailable, "away")
		src.mu.Unlock()
		tail.Missed()
		time.Sleep(time.Second)
		src.mu.Lock()
		src.noHead = nil
		src.mu.Unlock()
		time.Sleep(time.Second)
		if alice.missing(1) || len(bob.got) != 0 {
			t.Errorf("got %v and %v", alice.got, bob.got)
		}
		src.lose("bob")
		tail.Missed()
		time.Sleep(100 * time.Millisecond)
		if bob.missing(1) {
			t.Errorf("got %v", bob.got)
		}
		after, found := tail.Stats().Comparisons, tail.Stats().Found
		if after-before < 2 || found != 2 {
			t.Errorf("%d comparisons found %d", after-before, found)
		}
	})
}

// Whoever makes hints go missing, again and again, makes the store no work without end.
func TestManyMissedHintsAreMadeUpForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		subscribe(tail, "alice", 0)
		for range 10_000 {
			tail.Missed()
			time.Sleep(100 * time.Microsecond)
		}
		if comparisons := tail.Stats().Comparisons; comparisons > 25 {
			t.Errorf("%d comparisons in a second", comparisons)
		}
	})
}

// With very many users online each comparison is long, and one that follows the other would
// leave the store little time for anything else.
func TestMissedHintsDoNotKeepTheStoreBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		src.headTime = 400 * time.Millisecond
		tail := startTail(t, src, changes.Options{})
		alice := subscribe(tail, "alice", 0)
		time.Sleep(10 * time.Second)
		before := tail.Stats().Comparisons
		for range 600 {
			tail.Missed()
			time.Sleep(100 * time.Millisecond)
		}
		after := tail.Stats().Comparisons
		if n := after - before; n < 5 || n > 16 {
			t.Errorf("%d comparisons of 400 ms in a minute", n)
		}
		src.add("alice")
		tail.Missed()
		if time.Sleep(time.Second); alice.missing(1) {
			t.Errorf("meanwhile a change is not noticed: %v", alice.got)
		}
		src.lose("alice")
		tail.Missed()
		if time.Sleep(6 * time.Second); alice.missing(2) {
			t.Errorf("what was missed is not compared when its time comes: %v", alice.got)
		}
	})
}

// The users of an answer of Moves whose heads could not be read were never compared again.
func TestAComparisonThatFailedIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		l := subscribe(tail, "alice", 0)
		time.Sleep(time.Second + time.Millisecond)
		src.mu.Lock()
		src.noHead = models.E(models.Unavailable, "away")
		src.mu.Unlock()
		src.add("alice")
		time.Sleep(3 * time.Second)
		src.mu.Lock()
		src.noHead = nil
		src.mu.Unlock()
		time.Sleep(time.Second)
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

// A log that could not be read is read again, though it does not move any more.
func TestALogThatCouldNotBeReadIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &unreadableSource{fakeSource: newFakeSource(), broken: "alice"}
		src.add("alice")
		tail := startTail(t, src, changes.Options{})
		l := subscribe(tail, "alice", 0)
		time.Sleep(10 * time.Second)
		src.mu.Lock()
		src.broken = ""
		src.mu.Unlock()
		time.Sleep(1100 * time.Millisecond)
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

func TestNobodyIsPolledForWithoutSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		subscribe(tail, "alice", 0).Close()
		tail.Wake("alice")
		time.Sleep(time.Minute)
		if _, heads := src.counts(); heads != 0 {
			t.Errorf("%d queries for heads", heads)
		}
	})
}

func TestSubscribersAtTheHeadShareOneReadAndEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		encoded := 0
		tail := changes.New(src, func(page []models.Change) []int64 { encoded += len(page); return encode(page) },
			changes.Options{Workers: 1})
		runTail(t, tail)
		all := make([]*recorder, 100)
		for i := range all {
			all[i] = subscribe(tail, "alice", 0)
		}
		synctest.Wait()
		before, _ := src.counts()
		src.add("alice")
		tail.Wake("alice")
		synctest.Wait()
		for _, l := range all {
			if l.missing(1) {
				t.Fatalf("got %v", l.got)
			}
		}
		if after, _ := src.counts(); after-before != 1 || encoded != 1 {
			t.Errorf("%d reads and %d encodings for 100 subscribers", after-before, encoded)
		}
	})
}

func TestAFullSubscriberReadsNothingUntilItResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		for range 1000 {
			src.add("alice")
		}
		tail := startTail(t, src, changes.Options{PageSize: 100})
		l := subscribe(tail, "alice", 0)
		l.setRoom(0)
		synctest.Wait()
		before, _ := src.counts()
		for range 10 {
			src.add("alice")
			tail.Wake("alice")
			time.Sleep(time.Second)
		}
		if after, _ := src.counts(); after != before {
			t.Errorf("%d reads for a subscriber that is full", after-before)
		}
		l.setRoom(unlimited)
		l.Resume()
		synctest.Wait()
		if l.missing(1010) || l.Position() != 1010 {
			t.Errorf("got %d changes, position %d", len(l.got), l.Position())
		}
	})
}

// For each few changes that a slow subscriber took, a whole page was read and encoded.
func TestASlowSubscriberCostsAboutWhatItTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const all, room = 3000, 10
		src, encoded := newFakeSource(), 0
		for range all {
			src.add("alice")
		}
		tail := changes.New(src, func(page []models.Change) []int { encoded += len(page); return make([]int, len(page)) },
			changes.Options{PageSize: 250, Workers: 1, Logger: slog.New(slog.DiscardHandler)})
		runTail(t, tail)
		l := subscribe(tail, "alice", 0)
		for l.missing(all) {
			l.setRoom(room)
			l.Resume()
			synctest.Wait()
		}
		if encoded > 3*all {
			t.Errorf("%d changes were encoded for a subscriber that took %d", encoded, all)
		}
		before := encoded
		for range all {
			src.add("alice")
		}
		l.setRoom(unlimited)
		tail.Wake("alice")
		l.Resume()
		synctest.Wait()
		if reads := src.reads; l.missing(2*all) || encoded != before+all || reads > 2*all/room {
			t.Errorf("%d changes were encoded in %d reads for %d with unlimited room", encoded-before, reads, all)
		}
	})
}

// A queue may drain after deliver refused a change and before it returned.
func TestResumeInsideDeliverIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		for range 3 {
			src.add("alice")
		}
		tail := startTail(t, src, changes.Options{})
		var got []int64
		var s *changes.Subscription[int64]
		ready := make(chan struct{})
		s = tail.Subscribe("alice", 0, 1, func(page []changes.Item[int64]) int {
			<-ready
			got = append(got, page[0].Seq)
			s.Resume()
			return 1
		}, nil)
		close(ready)
		synctest.Wait()
		if !slices.Equal(got, []int64{1, 2, 3}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestTroubleIsWaitedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		l := subscribe(tail, "alice", 0)
		synctest.Wait()
		src.failWith(models.E(models.Unavailable, "away"))
		src.add("alice")
		tail.Wake("alice")
		before, _ := src.counts()
		time.Sleep(30 * time.Second)
		if after, _ := src.counts(); after-before > 40 {
			t.Errorf("%d reads in half a minute of trouble", after-before)
		}
		src.failWith(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

// After the database was replaced by an older one, subscribers waited until the log reached
// their position again, and the changes up to it were delivered to nobody.
func TestWhoHasReadBeyondTheEndOfALogBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		for range 3 {
			src.add("alice")
			src.add("bob")
		}
		var heard []string
		tail := startTail(t, src, changes.Options{OnLogShortened: func(_ context.Context, userID string, read int64) {
			heard = append(heard, fmt.Sprintf("%s %d", userID, read))
		}})
		ahead, full, other := subscribe(tail, "alice", 3), subscribe(tail, "alice", 0), subscribe(tail, "bob", 0)
		full.setRoom(0)
		time.Sleep(5 * time.Second)
		if len(heard) != 0 || ahead.lost+full.lost+other.lost != 0 {
			t.Fatalf("shortened: %v though nothing was lost", heard)
		}
		src.mu.Lock()
		src.of["alice"] = src.of["alice"][:1]
		src.origin++
		src.mu.Unlock()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if !slices.Equal(heard, []string{"alice 3"}) || ahead.lost != 1 || full.lost != 1 || other.lost != 0 {
			t.Errorf("shortened: %v, lost %d, %d and %d of another user", heard, ahead.lost, full.lost, other.lost)
		}
	})
}

func TestAHoleIsLoggedAndNeverSteppedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		for range 5 {
			src.add("alice")
			src.add("bob")
		}
		src.of["alice"][2].Seq = 4 // 1, 2, 4, 4, 5
		var log strings.Builder
		tail := startTail(t, src, changes.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), PageSize: 2, Workers: 1})
		l, other := subscribe(tail, "alice", 0), subscribe(tail, "bob", 0)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if !slices.Equal(l.got, []int64{1, 2}) {
			t.Errorf("got %v over a hole after 2", l.got)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
			t.Errorf("%d errors logged:\n%s", n, log.String())
		}
		if other.missing(5) {
			t.Errorf("another user got %v", other.got)
		}
	})
}

func TestAnUnreadableLogDoesNotHoldUpOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &unreadableSource{fakeSource: newFakeSource(), broken: "alice"}
		src.add("alice")
		src.add("bob")
		tail := startTail(t, src, changes.Options{Workers: 1})
		subscribe(tail, "alice", 0)
		l := subscribe(tail, "bob", 0)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

// unreadableSource is a Source in which the log of one user cannot be read.
type unreadableSource struct {
	*fakeSource
	broken string
}

func (p *unreadableSource) Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	p.mu.Lock()
	broken := userID == p.broken
	p.mu.Unlock()
	if broken {
		return nil, errors.New("payload is damaged")
	}
	return p.fakeSource.Changes(ctx, userID, after, limit)
}

// With any writes, lost wakes, full and late subscribers and failures of the store, every
// subscriber gets every change after its position, once and in order.
func TestEverySubscriberGetsEveryChangeOnceInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 60).Draw(rt, "steps")
		size := rapid.IntRange(1, 5).Draw(rt, "page size")
		var failure string
		synctest.Test(t, func(t *testing.T) { failure = runScenario(t, steps, size) })
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

type step struct {
	Do, User, Who, N int
}

func drawStep(t *rapid.T) step {
	return step{
		Do: rapid.IntRange(0, 9).Draw(t, "do"), User: rapid.IntRange(0, 1).Draw(t, "user"),
		Who: rapid.IntRange(0, 9).Draw(t, "who"), N: rapid.IntRange(0, 7).Draw(t, "n"),
	}
}

type scenario struct {
	src    *fakeSource
	tail   *changes.Tail[int64]
	users  []string
	all    []*recorder
	of     []string
	closed map[*recorder]bool
}

// runScenario runs the steps, waits until the Tail is idle, and returns what is wrong.
func runScenario(t *testing.T, steps []step, pageSize int) string {
	src := newFakeSource()
	p := &scenario{
		src: src, tail: startTail(t, src, changes.Options{PageSize: pageSize, Workers: 2}),
		users:  []string{"alice", "bob"},
		closed: map[*recorder]bool{},
	}
	for _, s := range steps {
		p.do(s)
	}
	src.failWith(nil)
	for _, l := range p.all {
		l.setRoom(unlimited)
		l.Resume()
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	return p.verdict()
}

func (p *scenario) do(s step) {
	user := p.users[s.User]
	switch s.Do {
	case 0, 1:
		p.src.add(user)
		p.tail.Wake(user)
	case 2:
		p.src.add(user) // and the wake is lost
	case 3:
		head := int64(len(p.src.of[user]))
		p.all, p.of = append(p.all, subscribe(p.tail, user, min(int64(s.N), head))), append(p.of, user)
	case 4:
		time.Sleep(time.Duration(s.N) * 300 * time.Millisecond)
	case 5:
		p.src.failWith(models.E(models.Unavailable, "away"))
	case 6:
		p.src.failWith(nil)
	case 9:
		p.src.lose(user)
		p.tail.Missed()
	default:
		p.toSubscriber(s)
	}
}

func (p *scenario) toSubscriber(s step) {
	if len(p.all) == 0 {
		return
	}
	l := p.all[s.Who%len(p.all)]
	switch {
	case s.Do == 7 && s.N == 0:
		synctest.Wait()
		l.Close()
		p.closed[l] = true
	case s.Do == 7:
		l.setRoom(s.N % 3)
	default:
		l.setRoom(s.N)
		l.Resume()
	}
}

func (p *scenario) verdict() string {
	for i, l := range p.all {
		head := int64(len(p.src.of[p.of[i]]))
		if !l.inOrder() || (!p.closed[l] && l.missing(head)) {
			return "a subscriber from " + time.Duration(l.from).String() + " is not served in full and in order"
		}
	}
	return ""
}

// When all clients come back at once, each of them is at the end of its log.
func TestSubscribersAtTheEndOfTheirLogsShareOneComparison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		time.Sleep(10 * time.Second)
		subscribe(tail, "user 1", 0).Close() // one that leaves at once costs nothing later
		var all []*changes.Subscription[int64]
		for i := range 1000 {
			all = append(all, tail.Subscribe(fmt.Sprint("user ", i), 0, 0, func(page []changes.Item[int64]) int { return len(page) }, nil))
		}
		before := src.polls()
		time.Sleep(100 * time.Millisecond)
		if reads, heads := src.counts(); reads > 1 || heads != 1000 {
			t.Errorf("%d reads; %d heads were asked for", reads, heads)
		}
		if n := src.polls() - before; n > 2 {
			t.Errorf("%d polls", n)
		}
		for _, s := range all {
			s.Close()
		}
		time.Sleep(time.Minute)
		if _, heads := src.counts(); heads != 1000 {
			t.Errorf("%d heads were asked for in all", heads)
		}
	})
}

// Between the look at the end of the log and the subscription the log may have grown, and
// the wake may have found no subscriber.
func TestAChangeJustBeforeASubscriptionIsNoticedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		time.Sleep(10 * time.Second)
		src.add("alice")
		tail.Wake("alice")
		time.Sleep(2 * time.Second) // the poll has seen the move
		var got []int64
		tail.Subscribe("alice", 0, 0, func(page []changes.Item[int64]) int {
			got = append(got, page[0].Seq)
			return 1
		}, nil)
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if !slices.Equal(got, []int64{1}) {
			t.Errorf("got %v", got)
		}
	})
}

// For how long a change waits shows while the store fails, by the log that waits and by the
// poll, and is over when it answers.
func TestTheLagGrowsWhileTheStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		subscribe(tail, "alice", 0)
		time.Sleep(10 * time.Second)
		if lag := tail.Stats().Lag; lag != 0 {
			t.Errorf("without a change: %v", lag)
		}
		src.failWith(models.E(models.Unavailable, "away"))
		src.add("alice")
		tail.Wake("alice")
		time.Sleep(30 * time.Second)
		if lag := tail.Stats().Lag; lag < 28*time.Second || lag > 31*time.Second {
			t.Errorf("after 30 s: %v", lag)
		}
		src.failWith(nil)
		time.Sleep(5 * time.Second)
		if s := tail.Stats(); s.Lag != 0 || s.WokenByCommit != 1 || s.WokenByHint != 0 {
			t.Errorf("afterwards: %+v", s)
		}
	})
}

// By what growth was noticed is counted for logs with subscribers alone.
func TestWakesAreCountedBySource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newFakeSource()
		tail := startTail(t, src, changes.Options{})
		subscribe(tail, "alice", 0)
		synctest.Wait()
		before := tail.Stats()
		src.add("alice")
		tail.Hinted([]string{"alice", "nobody here"})
		synctest.Wait()
		src.add("alice") // and the wake is lost
		time.Sleep(2 * time.Second)
		after := tail.Stats()
		if after.WokenByHint != 1 || after.WokenByPoll-before.WokenByPoll != 1 || after.WokenByCommit != 0 {
			t.Errorf("%+v", after)
		}
	})
}
