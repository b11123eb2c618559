package sockets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/models"
)

// A clerk keeps notes as a database in changing moods does.
type clerk struct {
	refuse func(seen []models.DeviceToken) error // nil: never
	tries  []int                                 // seconds since the start
	kept   []string                              // devices
	start  time.Time
}

// SeeDevices implements registry.
func (c *clerk) SeeDevices(ctx context.Context, seen []models.DeviceToken) error {
	c.tries = append(c.tries, int(time.Since(c.start).Seconds()))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if c.refuse != nil {
		if err := c.refuse(seen); err != nil {
			return err
		}
	}
	for _, s := range seen {
		c.kept = append(c.kept, s.DeviceID)
	}
	slices.Sort(c.kept)
	return nil
}

// noting runs fn in a bubble with notes that c keeps.
func noting(t *testing.T, c *clerk, fn func(n *notes)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		c.start = time.Now()
		h := &Hub{errands: newErrands(), log: slog.New(slog.DiscardHandler), opts: Options{Registry: c}}
		h.notes = newNotes(h)
		fn(h.notes)
		h.notes.soon.stop()
		h.errands.end()
	})
}

var errBusy = &models.Error{Kind: models.Unavailable, Msg: "busy"}

func TestADeviceThatTheDatabaseRefusedOnceIsNotedAfterAll(t *testing.T) {
	c := &clerk{}
	c.refuse = func([]models.DeviceToken) error {
		if len(c.tries) <= 4 { // the fourth is that of KeepDevices
			return errBusy
		}
		return nil
	}
	noting(t, c, func(n *notes) {
		n.add(&session{userID: "alice", device: "phone"})
		time.Sleep(2500 * time.Millisecond)
		n.hub.KeepDevices() // somebody looks meanwhile
		n.add(&session{userID: "alice", device: "laptop"})
		time.Sleep(time.Hour)
		synctest.Wait()
		same(t, "noted", []string{"laptop", "phone"}, c.kept)
		same(t, "seconds of the tries", []int{0, 1, 2, 2, 2}, c.tries)
		same(t, "still waiting", 0, len(n.seen))
	})
}

func TestNotesAreTriedAgainOnceASecondUntilTheEnd(t *testing.T) {
	c := &clerk{refuse: func([]models.DeviceToken) error { return errBusy }}
	noting(t, c, func(n *notes) {
		n.add(&session{userID: "alice", device: "phone"})
		time.Sleep(10 * time.Second)
		synctest.Wait()
		same(t, "seconds of the tries", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, c.tries)
	})
	noting(t, c, func(n *notes) {
		n.add(&session{userID: "alice", device: "phone"})
		n.soon.stop()
		n.hub.errands.end()
		c.tries = nil
		time.Sleep(time.Minute)
		n.hub.KeepDevices()
		same(t, "tries after the end", 0, len(c.tries))
	})
}

func TestANoteThatIsRefusedForGoodTakesNoOtherWithIt(t *testing.T) {
	c := &clerk{refuse: func(seen []models.DeviceToken) error {
		for _, s := range seen {
			if strings.HasPrefix(s.DeviceID, "bad") {
				return errors.New("the database refuses the data")
			}
		}
		return nil
	}}
	noting(t, c, func(n *notes) {
		for _, d := range []string{"a", "b", "bad", "c", "d"} {
			n.add(&session{userID: "alice", device: d})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "noted", []string{"a", "b", "c", "d"}, c.kept)
		same(t, "still waiting", 0, len(n.seen))
	})
}

func TestNotesDoNotGrowWhileTheDatabaseIsAway(t *testing.T) {
	c := &clerk{refuse: func([]models.DeviceToken) error { return errBusy }}
	noting(t, c, func(n *notes) {
		for i := range maxNotes + 100 {
			n.add(&session{userID: "alice", device: fmt.Sprint(i)})
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "waiting", maxNotes, len(n.seen))
	})
}
