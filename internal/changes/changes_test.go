package changes_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
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

// logs is a Source in memory that counts reads and fails on demand.
type logs struct {
	mu    sync.Mutex
	of    map[string][]models.Change
	reads int
	heads int
	err   error
}

func newLogs() *logs { return &logs{of: map[string][]models.Change{}} }

func (l *logs) add(userID string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of[userID] = append(l.of[userID], models.Change{UserID: userID, Seq: int64(len(l.of[userID])) + 1})
}

func (l *logs) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *logs) counts() (reads, heads int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads, l.heads
}

func (l *logs) Changes(_ context.Context, userID string, after int64, limit int) ([]models.Change, error) {
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

func (l *logs) Heads(_ context.Context, userIDs []string) (map[string]int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heads++
	if l.err != nil {
		return nil, l.err
	}
	heads := map[string]int64{}
	for _, id := range userIDs {
		heads[id] = int64(len(l.of[id]))
	}
	return heads, nil
}

// A listener notes what it gets and takes at most room.
type listener struct {
	*changes.Subscription
	from int64
	mu   sync.Mutex
	got  []int64
	room int
	lost int // how often it was told that it cannot go on
}

const plenty = 1 << 30

func listen[E any](tail *changes.Tail[E], userID string, from int64) *listener {
	l := &listener{from: from, room: plenty}
	l.Subscription = tail.Subscribe(userID, from, func(page []changes.Item[E]) int {
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

func (l *listener) setRoom(n int) {
	l.mu.Lock()
	l.room = n
	l.mu.Unlock()
}

// received is what it got; "" if that is from+1 to head.
func (l *listener) missing(head int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.inOrder() || l.from+int64(len(l.got)) != max(head, l.from)
}

func (l *listener) inOrder() bool {
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

// running starts a tail over src inside a bubble and ends it with the bubble.
func running(t *testing.T, src changes.Source, o changes.Options) *changes.Tail[int64] {
	t.Helper()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	tail := changes.New(src, encode, o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- tail.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return tail
}

func TestWakeDeliversAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		tail := running(t, src, changes.Options{})
		l := listen(tail, "alice", 0)
		stranger := listen(tail, "bob", 0)
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

func TestALostWakeIsNoticedByThePoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		tail := running(t, src, changes.Options{})
		l := listen(tail, "alice", 0)
		synctest.Wait()
		src.add("alice")
		time.Sleep(time.Second)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

func TestNobodyIsPolledForWithoutSubscribers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		tail := running(t, src, changes.Options{})
		listen(tail, "alice", 0).Close()
		tail.Wake("alice")
		time.Sleep(time.Minute)
		if _, heads := src.counts(); heads != 0 {
			t.Errorf("%d queries for heads", heads)
		}
	})
}

func TestSubscribersAtTheHeadShareOneReadAndEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		encoded := 0
		tail := changes.New(src, func(page []models.Change) []int64 { encoded += len(page); return encode(page) }, changes.Options{Workers: 1})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go func() { _ = tail.Run(ctx) }()
		all := make([]*listener, 100)
		for i := range all {
			all[i] = listen(tail, "alice", 0)
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
		src := newLogs()
		for range 1000 {
			src.add("alice")
		}
		tail := running(t, src, changes.Options{PageSize: 100})
		l := listen(tail, "alice", 0)
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
		l.setRoom(plenty)
		l.Resume()
		synctest.Wait()
		if l.missing(1010) || l.Position() != 1010 {
			t.Errorf("got %d changes, position %d", len(l.got), l.Position())
		}
	})
}

// TestResumeInsideDeliverIsNotLost covers a queue that drains between the
// refusal and deliver's return.
func TestResumeInsideDeliverIsNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		for range 3 {
			src.add("alice")
		}
		tail := running(t, src, changes.Options{})
		var got []int64
		var s *changes.Subscription
		ready := make(chan struct{})
		s = tail.Subscribe("alice", 0, func(page []changes.Item[int64]) int {
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
		src := newLogs()
		tail := running(t, src, changes.Options{})
		l := listen(tail, "alice", 0)
		synctest.Wait()
		src.fail(models.E(models.Unavailable, "away"))
		src.add("alice")
		tail.Wake("alice")
		before, _ := src.counts()
		time.Sleep(30 * time.Second)
		if after, _ := src.counts(); after-before > 40 {
			t.Errorf("%d reads in half a minute of trouble", after-before)
		}
		src.fail(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

func TestAHoleIsLoggedAndNeverSteppedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newLogs()
		for range 5 {
			src.add("alice")
			src.add("bob")
		}
		src.of["alice"][2].Seq = 4 // 1, 2, 4, 4, 5
		var log strings.Builder
		tail := running(t, src, changes.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), PageSize: 2, Workers: 1})
		l, other := listen(tail, "alice", 0), listen(tail, "bob", 0)
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
		src := &picky{logs: newLogs(), broken: "alice"}
		src.add("alice")
		src.add("bob")
		tail := running(t, src, changes.Options{Workers: 1})
		listen(tail, "alice", 0)
		l := listen(tail, "bob", 0)
		synctest.Wait()
		if l.missing(1) {
			t.Errorf("got %v", l.got)
		}
	})
}

// picky cannot read one user's log.
type picky struct {
	*logs
	broken string
}

func (p *picky) Changes(ctx context.Context, userID string, after int64, limit int) ([]models.Change, error) {
	if userID == p.broken {
		return nil, errors.New("payload is damaged")
	}
	return p.logs.Changes(ctx, userID, after, limit)
}

// TestEverySubscriberGetsEveryChangeOnceInOrder drives a tail with random
// writes, lost wakes, full subscribers, late comers and trouble.
func TestEverySubscriberGetsEveryChangeOnceInOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 60).Draw(rt, "steps")
		size := rapid.IntRange(1, 5).Draw(rt, "page size")
		var failure string
		synctest.Test(t, func(t *testing.T) { failure = play(t, steps, size) })
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
		Do: rapid.IntRange(0, 8).Draw(t, "do"), User: rapid.IntRange(0, 1).Draw(t, "user"),
		Who: rapid.IntRange(0, 9).Draw(t, "who"), N: rapid.IntRange(0, 7).Draw(t, "n"),
	}
}

type player struct {
	src    *logs
	tail   *changes.Tail[int64]
	users  []string
	all    []*listener
	of     []string
	closed map[*listener]bool
}

// play runs the steps, then lets everything settle, and says what is wrong.
func play(t *testing.T, steps []step, pageSize int) string {
	src := newLogs()
	p := &player{src: src, tail: running(t, src, changes.Options{PageSize: pageSize, Workers: 2}), users: []string{"alice", "bob"}, closed: map[*listener]bool{}}
	for _, s := range steps {
		p.do(s)
	}
	src.fail(nil)
	for _, l := range p.all {
		l.setRoom(plenty)
		l.Resume()
	}
	time.Sleep(5 * time.Second)
	synctest.Wait()
	return p.verdict()
}

func (p *player) do(s step) {
	user := p.users[s.User]
	switch s.Do {
	case 0, 1:
		p.src.add(user)
		p.tail.Wake(user)
	case 2:
		p.src.add(user) // and the wake is lost
	case 3:
		head := int64(len(p.src.of[user]))
		p.all, p.of = append(p.all, listen(p.tail, user, min(int64(s.N), head))), append(p.of, user)
	case 4:
		time.Sleep(time.Duration(s.N) * 300 * time.Millisecond)
	case 5:
		p.src.fail(models.E(models.Unavailable, "away"))
	case 6:
		p.src.fail(nil)
	default:
		p.toListener(s)
	}
}

func (p *player) toListener(s step) {
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

func (p *player) verdict() string {
	for i, l := range p.all {
		head := int64(len(p.src.of[p.of[i]]))
		if !l.inOrder() || (!p.closed[l] && l.missing(head)) {
			return "a subscriber from " + time.Duration(l.from).String() + " is not served in full and in order"
		}
	}
	return ""
}
