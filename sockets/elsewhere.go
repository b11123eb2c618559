package sockets

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"expenseflow/models"
)

// When elsewhere reads.
const (
	// readWindow is how long reads of rooms wait for each other. Users that connect within
	// it are one statement.
	readWindow  = 50 * time.Millisecond
	readTimeout = 2 * time.Second
	maxRead     = 1000 // rooms in one statement

	// compareInterval is how often the versions of all processes are compared. It is one
	// statement, however many users are online.
	compareInterval = time.Second

	// settleTime is how long nothing is read after this process did not count as living: if
	// that is so because the database has crashed and forgotten everybody, the others need
	// a heartbeat to return, and would be reported as gone until then.
	settleTime = 5 * time.Second

	// readRest is for how many times as long as all rooms were read they are not all read
	// again: while no hints come, there is always one that was missed, and where very many
	// users are online the database would do nothing else.
	readRest = 9
)

// elsewhere follows who is present in other processes, of those rooms that somebody here
// watches. It keeps none of that itself, but gives it to apply.
//
// A room is read when it is first watched, after a hint that names it, when confirm asks,
// and all rooms are read when hints were missed or a process is not there any more, for at
// most a tenth of the time. That hints were missed shows within three seconds in the versions
// of the processes, so a hint only makes it faster. Reads follow each other in one goroutine:
// what is applied last is the newest. The methods may be called concurrently.
type elsewhere struct {
	cluster *Cluster
	log     *slog.Logger
	apply   func(room string, there []models.Present, mark int64)
	failed  func(room string) // a room that was never read cannot be read now
	seen    func(models.Peers)

	wake, hurry, compareNow chan struct{} // of one element each

	mu      sync.Mutex
	rooms   map[string]*watchedRoom
	stale   map[string]*watchedRoom // those to be read
	marks   int64                   // counts the marks of all rooms
	applied map[peer]int64          // the version of each process from which on hints are needed
	behind  map[peer]int64          // versions beyond that, as the last comparison found them
	settled time.Time               // nothing is read before
	rested  time.Time               // not all rooms are read before
	readAll bool                    // all rooms are to be read then
	reading time.Time               // since when all rooms are read; zero if they are not
}

// A watchedRoom is one that somebody in this process is in.
type watchedRoom struct {
	mark int64         // when it was last marked as stale
	once chan struct{} // closed after the first read, or its failure
}

// A peer is a generation of another process.
type peer struct {
	process    string
	generation int64
}

func newElsewhere(c *Cluster, log *slog.Logger) *elsewhere {
	return &elsewhere{
		cluster: c, log: log,
		wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), compareNow: make(chan struct{}, 1),
		rooms: make(map[string]*watchedRoom), stale: make(map[string]*watchedRoom),
		applied: make(map[peer]int64), behind: make(map[peer]int64),
	}
}

// notify puts an element into a channel of one, unless it has one.
func notify(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// watch follows a room from now on.
func (e *elsewhere) watch(room string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.rooms[room] = &watchedRoom{once: make(chan struct{})}
	e.markLocked(room)
}

func (e *elsewhere) unwatch(room string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.rooms, room)
	delete(e.stale, room)
}

// markLocked has a room read again if it is watched. The caller must hold mu.
func (e *elsewhere) markLocked(room string) int64 {
	e.marks++
	if w := e.rooms[room]; w != nil {
		w.mark = e.marks
		e.stale[room] = w
		notify(e.wake)
	}
	return e.marks
}

// confirm has a watched room read soon. What is applied with the mark that it returns, or
// with a later one, was read after this call.
func (e *elsewhere) confirm(room string) (mark int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.markLocked(room)
}

// markAll has all rooms read again, if they are to be and it is time. The caller must hold mu.
func (e *elsewhere) markAll() {
	now := time.Now()
	if !e.readAll || now.Before(e.rested) {
		return
	}
	e.readAll, e.reading = false, now
	for room := range e.rooms {
		e.markLocked(room)
	}
}

// rest notes that no room is left to be read.
func (e *elsewhere) rest() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.reading.IsZero() {
		e.rested = time.Now().Add(readRest * time.Since(e.reading))
		e.reading = time.Time{}
	}
}

// await waits until a watched room was read once, or cannot be read. It reports false if that
// takes too long.
func (e *elsewhere) await(ctx context.Context, room string) bool {
	e.mu.Lock()
	w := e.rooms[room]
	e.mu.Unlock()
	if w == nil {
		return true
	}
	notify(e.hurry)
	select {
	case <-w.once:
		return true
	case <-ctx.Done():
	case <-time.After(readTimeout):
	}
	return false
}

// hinted takes a hint of another process about rooms.
func (e *elsewhere) hinted(from string, h presenceHinted) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, room := range h.Rooms {
		e.markLocked(room)
	}
	of := peer{from, h.Generation}
	if h.Version == e.applied[of]+1 { // else compare finds out what is missing
		e.applied[of] = h.Version
	}
}

func (e *elsewhere) missed() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.readAll = true
	e.compareSoon()
}

func (e *elsewhere) compareSoon() { notify(e.compareNow) }

// settle stops reading for a while, after which everything is read again.
func (e *elsewhere) settle() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.settleLocked()
}

func (e *elsewhere) settleLocked() {
	e.settled, e.readAll = time.Now().Add(settleTime), true
}

// run reads and compares until ctx ends.
func (e *elsewhere) run(ctx context.Context) {
	tick := time.NewTicker(compareInterval)
	defer tick.Stop()
	e.compare(ctx)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.compare(ctx)
		case <-e.compareNow:
			e.compare(ctx)
		case <-e.wake:
			e.gather(ctx)
		}
		e.read(ctx)
	}
}

// gather waits for more to read.
func (e *elsewhere) gather(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-e.hurry:
	case <-time.After(readWindow):
	}
}

// compare reads the versions of all processes and marks all rooms if there is one of which
// hints were missed, or one that is not there any more.
func (e *elsewhere) compare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	now, err := e.cluster.Store.Peers(ctx)
	if err != nil {
		e.log.Debug("the other processes cannot be read now", slog.Any("error", err))
		return
	}
	e.seen(now)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case !now.Member:
		e.settleLocked()
	case time.Now().Before(e.settled):
	default:
		e.readAll = e.follow(now.Others) || e.readAll
		e.markAll()
	}
}

// follow takes over the versions of all processes and reports whether something was
// missed. A version may be ahead of its hint for a moment: only one that was seen by the
// comparison before, and was not hinted at since, was missed. The caller must hold mu.
func (e *elsewhere) follow(others map[string]models.PresenceVersion) (missed bool) {
	living := make(map[peer]int64, len(others))
	for process, v := range others {
		living[peer{process, v.Generation}] = v.Version
	}
	for p := range e.applied {
		if _, lives := living[p]; !lives {
			delete(e.applied, p)
			delete(e.behind, p)
			missed = true
		}
	}
	for p, version := range living {
		applied := e.applied[p]
		if e.behind[p] > applied {
			applied, missed = version, true
		}
		e.applied[p], e.behind[p] = applied, version // also of a new one, so that its end is noticed
	}
	return missed
}

// read reads the stale rooms.
func (e *elsewhere) read(ctx context.Context) {
	for {
		marks := e.take()
		if len(marks) == 0 {
			e.rest()
			return
		}
		there, err := e.present(ctx, marks)
		if err != nil {
			e.log.Debug("presence of other processes cannot be read now", slog.Any("error", err))
			e.giveUp(marks)
			return
		}
		for room, mark := range marks {
			e.apply(room, there[room], mark)
		}
		e.finish(marks)
	}
}

// take returns some of the stale rooms with their marks.
func (e *elsewhere) take() map[string]int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	marks := make(map[string]int64, min(len(e.stale), maxRead))
	for room, w := range e.stale {
		if len(marks) == maxRead {
			break
		}
		marks[room] = w.mark
		delete(e.stale, room)
	}
	return marks
}

var errSettling = models.E(models.Unavailable, "The processes of the cluster are gathering")

func (e *elsewhere) present(ctx context.Context, marks map[string]int64) (map[string][]models.Present, error) {
	e.mu.Lock()
	settled := e.settled
	e.mu.Unlock()
	if time.Now().Before(settled) {
		return nil, errSettling
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	rooms := make([]string, 0, len(marks))
	for room := range marks {
		rooms = append(rooms, room)
	}
	slices.Sort(rooms)
	all, err := e.cluster.Store.PresentElsewhere(ctx, rooms)
	there := make(map[string][]models.Present)
	for _, p := range all {
		there[p.Room] = append(there[p.Room], p)
	}
	return there, err
}

// lookUp returns who is present in a room that nobody here watches; nobody if that cannot be
// read now.
func (e *elsewhere) lookUp(ctx context.Context, room string) []models.Present {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	there, err := e.cluster.Store.PresentElsewhere(ctx, []string{room})
	if err != nil {
		return nil
	}
	return there
}

// finish notes that rooms were read, or cannot be, and returns those for which it is the
// first time.
func (e *elsewhere) finish(marks map[string]int64) (first []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for room := range marks {
		w := e.rooms[room]
		if w == nil {
			continue
		}
		select {
		case <-w.once:
		default:
			close(w.once)
			first = append(first, room)
		}
	}
	return first
}

// giveUp has the rooms that could not be read, and those that are to be read after them,
// read again with the next comparison. Nobody waits for them that long.
func (e *elsewhere) giveUp(marks map[string]int64) {
	e.mu.Lock()
	e.reading = time.Time{} // to wait for the database makes it no work
	for room := range marks {
		if w := e.rooms[room]; w != nil {
			e.stale[room] = w
		}
	}
	for room, w := range e.stale {
		marks[room] = w.mark
	}
	e.mu.Unlock()
	for _, room := range e.finish(marks) {
		e.failed(room)
	}
}
