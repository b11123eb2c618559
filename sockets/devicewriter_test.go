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

// A flakyRegistry is a deviceRegistry that refuses some writes.
type flakyRegistry struct {
	refuse  func(seen []models.DeviceToken) error // nil: never
	tries   []int                                 // seconds since the start
	written []string                              // devices
	start   time.Time
}

// SeeDevices implements deviceRegistry.
func (c *flakyRegistry) SeeDevices(ctx context.Context, seen []models.DeviceToken) error {
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
		c.written = append(c.written, s.DeviceID)
	}
	slices.Sort(c.written)
	return nil
}

// withWriter runs fn with a deviceWriter that writes to c, in fake time.
func withWriter(t *testing.T, c *flakyRegistry, fn func(w *deviceWriter)) {
	t.Helper()
	synctest.Test(t, func(*testing.T) {
		c.start = time.Now()
		tasks := newTaskGroup()
		w := newDeviceWriter(c, tasks, slog.New(slog.DiscardHandler))
		fn(w)
		w.stop()
		tasks.stop()
	})
}

var errBusy = &models.Error{Kind: models.Unavailable, Msg: "busy"}

func TestADeviceThatTheDatabaseRefusedOnceIsWrittenLater(t *testing.T) {
	c := &flakyRegistry{}
	c.refuse = func([]models.DeviceToken) error {
		if len(c.tries) <= 4 { // the fourth is that of flush
			return errBusy
		}
		return nil
	}
	withWriter(t, c, func(w *deviceWriter) {
		w.addSession(sessionOn("alice", "phone"))
		time.Sleep(2500 * time.Millisecond)
		w.flush() // somebody looks meanwhile
		w.addSession(sessionOn("alice", "laptop"))
		time.Sleep(time.Hour)
		synctest.Wait()
		same(t, "written", []string{"laptop", "phone"}, c.written)
		same(t, "seconds of the tries", []int{0, 1, 2, 2, 2}, c.tries)
		same(t, "still waiting", 0, len(w.waiting))
	})
}

func TestDevicesAreTriedAgainOnceASecondUntilTheEnd(t *testing.T) {
	c := &flakyRegistry{refuse: func([]models.DeviceToken) error { return errBusy }}
	withWriter(t, c, func(w *deviceWriter) {
		w.addSession(sessionOn("alice", "phone"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		same(t, "seconds of the tries", []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, c.tries)
	})
	withWriter(t, c, func(w *deviceWriter) {
		w.addSession(sessionOn("alice", "phone"))
		w.stop()
		w.tasks.stop()
		c.tries = nil
		time.Sleep(time.Minute)
		w.flush()
		same(t, "tries after the end", 0, len(c.tries))
	})
}

func TestADeviceThatIsRefusedForGoodDoesNotKeepOthersFromBeingWritten(t *testing.T) {
	c := &flakyRegistry{refuse: func(seen []models.DeviceToken) error {
		for _, s := range seen {
			if strings.HasPrefix(s.DeviceID, "bad") {
				return errors.New("the database refuses the data")
			}
		}
		return nil
	}}
	withWriter(t, c, func(w *deviceWriter) {
		for _, d := range []string{"a", "b", "bad", "c", "d"} {
			w.addSession(sessionOn("alice", d))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "written", []string{"a", "b", "c", "d"}, c.written)
		same(t, "still waiting", 0, len(w.waiting))
	})
}

func TestWaitingDevicesAreBoundedWhileTheDatabaseIsAway(t *testing.T) {
	c := &flakyRegistry{refuse: func([]models.DeviceToken) error { return errBusy }}
	withWriter(t, c, func(w *deviceWriter) {
		for i := range maxWaitingDevices + 100 {
			w.addSession(sessionOn("alice", fmt.Sprint(i)))
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		same(t, "waiting", maxWaitingDevices, len(w.waiting))
	})
}
