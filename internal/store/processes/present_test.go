package processes_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// announce stores who is present in a process, and returns how often it has.
func (f *follower) announce(here, gone []models.Present) int64 {
	f.t.Helper()
	return storetest.Must(f.s.Announce(f.t.Context(), f.member.ID, f.member.Generation, here, gone))(f.t)
}

// elsewhere returns who is present in rooms of other processes.
func (f *follower) elsewhere(rooms ...string) []models.Present {
	f.t.Helper()
	return storetest.Must(f.s.PresentElsewhere(f.t.Context(), f.member.ID, f.member.Generation, rooms))(f.t)
}

func (f *follower) peers() models.Peers {
	f.t.Helper()
	return storetest.Must(f.s.Peers(f.t.Context(), f.member.ID, f.member.Generation))(f.t)
}

// followers are processes with these ids that have had one heartbeat.
func followers(t *testing.T, ids ...string) (url string, all []*follower) {
	t.Helper()
	url, stores := cluster(t, len(ids))
	for i, id := range ids {
		f := &follower{t: t, s: stores[i], member: models.Member{ID: id}}
		f.beat()
		all = append(all, f)
	}
	return url, all
}

// age has a process have told so much earlier that it lives.
func age(t *testing.T, url, id string, by time.Duration) {
	t.Helper()
	const statement = "UPDATE processes SET heartbeat_at = heartbeat_at - %d WHERE id = '%s'"
	storetest.SQL(t, url, fmt.Sprintf(statement, by.Milliseconds(), id))
}

func TestPresenceOfAProcessEndsWithIt(t *testing.T) {
	url, all := followers(t, "a", "b")
	a, b, at := all[0], all[1], time.UnixMilli(1_700_000_000_000).UTC()
	phone := models.Present{Room: "user:alice", UserID: "alice", DeviceID: "phone\x00\xff", Since: at, Sockets: 10}
	inRoom := models.Present{Room: "expense:lunch", UserID: "alice", UserName: "Alice", DeviceID: "phone\x00\xff", Since: at}
	storetest.Same(t, "version", int64(1), a.announce([]models.Present{phone, inRoom}, nil))
	storetest.Same(t, "user", []models.Present{phone}, b.elsewhere("user:alice", "user:bob"))
	storetest.Same(t, "both", 2, len(b.elsewhere("expense:lunch", "user:alice")))
	storetest.Same(t, "its own", 0, len(a.elsewhere("user:alice")))
	phone.Sockets = 20
	storetest.Same(t, "version", int64(2), a.announce([]models.Present{phone}, []models.Present{inRoom}))
	storetest.Same(t, "after a change", []models.Present{phone}, b.elsewhere("user:alice", "expense:lunch"))
	others := map[string]models.PresenceVersion{"a": {Generation: 1, Version: 2}}
	storetest.Same(t, "as peers", models.Peers{Member: true, Others: others}, b.peers())

	age(t, url, "a", models.ProcessDeadAfter+time.Second)
	storetest.Same(t, "of a dead process", 0, len(b.elsewhere("user:alice")))
	storetest.Same(t, "peers", 0, len(b.peers().Others))
	_, err := a.s.Announce(t.Context(), "a", 1, nil, nil)
	storetest.WantKind(t, "Announce of a dead process", err, models.Unavailable)
	_, err = a.s.PresentElsewhere(t.Context(), "a", 1, []string{"user:alice"})
	storetest.WantKind(t, "PresentElsewhere of a dead process", err, models.Unavailable)
	storetest.Same(t, "does it live", false, a.peers().Member)

	a.beat()
	storetest.Same(t, "of the generation before", 0, len(b.elsewhere("user:alice")))
	storetest.Same(t, "version", int64(1), a.announce([]models.Present{phone}, nil))
	storetest.Same(t, "announced again", []models.Present{phone}, b.elsewhere("user:alice"))
	_, err = a.s.Announce(t.Context(), "a", 1, []models.Present{phone}, nil)
	storetest.WantKind(t, "Announce under the generation before", err, models.Unavailable)
}

// Sockets of a process that ends connect elsewhere: their devices are not gone meanwhile.
func TestDevicesOfAProcessThatLeftStayForAMoment(t *testing.T) {
	url, all := followers(t, "a", "b")
	a, b := all[0], all[1]
	a.announce([]models.Present{{Room: "user:alice", UserID: "alice", DeviceID: "phone", Since: time.UnixMilli(1).UTC()}}, nil)
	if err := a.s.Leave(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	b.wantGeneration(1, "b") // it is no member any more
	storetest.Same(t, "present", 1, len(b.elsewhere("user:alice")))
	storetest.Same(t, "known to have ended", true, b.peers().Others["a"].Ended)
	age(t, url, "a", processes.LeaveTime)
	storetest.Same(t, "present later", 0, len(b.elsewhere("user:alice")))
	storetest.Same(t, "peers", 0, len(b.peers().Others))
	_, err := a.s.Announce(t.Context(), "a", 1, nil, nil)
	storetest.WantKind(t, "Announce of one that left", err, models.Unavailable)
}

func TestTheNewestStatusIsStored(t *testing.T) {
	_, all := followers(t, "a", "b")
	others := map[string]models.PresenceVersion{"b": {Generation: 1}}
	storetest.Same(t, "none", models.Peers{Member: true, Others: others}, all[0].peers())
	for i, f := range []*follower{all[0], all[1], all[0]} {
		status := fmt.Sprintf(`{"Message":"it's %d \\ ' ?"}`, i)
		storetest.Same(t, "version", int64(i+1), storetest.Must(f.s.SetStatus(t.Context(), status))(t))
		for _, reader := range all {
			p := reader.peers()
			storetest.Same(t, "status", []any{int64(i + 1), status}, []any{p.StatusVersion, p.Status})
		}
	}
}

// Announcements of one process at once are counted one by one, and wait for each other.
func TestAnnouncementsAreCountedInTheirOrder(t *testing.T) {
	_, all := followers(t, "a", "b")
	const writers, each = 4, 25
	versions := make(chan int64, writers*each)
	for w := range writers {
		go func() {
			for i := range each {
				p := models.Present{Room: "user:alice", UserID: "alice", DeviceID: fmt.Sprint(w, " ", i), Since: time.UnixMilli(1)}
				v, err := all[0].s.Announce(context.Background(), "a", 1, []models.Present{p}, nil)
				if err != nil {
					t.Error(err)
				}
				versions <- v
			}
		}()
	}
	seen := map[int64]bool{}
	for range writers * each {
		seen[<-versions] = true
	}
	storetest.Same(t, "versions", writers*each, len(seen))
	storetest.Same(t, "present", writers*each, len(all[1].elsewhere("user:alice")))
	storetest.Same(t, "peers", int64(writers*each), all[1].peers().Others["a"].Version)
}
