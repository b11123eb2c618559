package store_test

import (
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// A clock is what a store takes for the time.
type clock struct{ now time.Time }

// clocked runs test on both engines with a fresh store that goes by a clock.
func clocked(t *testing.T, test func(t *testing.T, s *store.Store, c *clock)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, options func(testing.TB) store.Options) {
		c, o := &clock{models.Millis(time.Now())}, options(t)
		o.Now = func() time.Time { return c.now }
		test(t, storetest.Open(t, o), c)
	})
}

// saw is a token that a device came with, good for an hour from now on.
func (c *clock) saw(userID, device, key string) models.DeviceToken {
	return models.DeviceToken{UserID: userID, DeviceID: device, Key: key, ExpiresAt: c.now.Add(time.Hour)}
}

func see(t *testing.T, s *store.Store, seen ...models.DeviceToken) {
	t.Helper()
	if err := s.SeeDevices(t.Context(), seen); err != nil {
		t.Fatalf("SeeDevices: %v", err)
	}
}

// known gives the user's devices by name.
func known(t *testing.T, s *store.Store, userID string) (names []string) {
	t.Helper()
	for _, d := range must(s.Devices(t.Context(), userID))(t) {
		names = append(names, d.ID)
	}
	return names
}

func TestDevicesAreListedAsLongAsATokenOfTheirsIsGood(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		alice, bob, began := storetest.User(t, s), storetest.User(t, s), c.now
		odd := "phone\x00\\\xff 🍜"
		see(t, s)
		see(t, s, c.saw(alice.ID, odd, "a"), c.saw(alice.ID, "laptop", "b"), c.saw(bob.ID, odd, "c"))
		c.now = began.Add(time.Minute)
		see(t, s, c.saw(alice.ID, odd, "d"), c.saw(alice.ID, odd, "a"))
		want := []models.Device{{ID: odd, FirstSeen: began, LastSeen: c.now}, {ID: "laptop", FirstSeen: began, LastSeen: began}}
		same(t, "devices", want, must(s.Devices(t.Context(), alice.ID))(t))
		same(t, "of another", []string{odd}, known(t, s, bob.ID))
		c.now = began.Add(time.Hour)
		same(t, "with a valid token", []string{odd}, known(t, s, alice.ID)) // the later one's
		c.now = began.Add(time.Hour + time.Minute)
		same(t, "with a valid token", []string(nil), known(t, s, alice.ID))
	})
}

// A device that reconnects with another browser is called by the newest; one with two tokens
// by the one that is known.
func TestDevicesHaveTheirBrowser(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u := storetest.User(t, s)
		with := func(device, key, client string) models.DeviceToken {
			seen := c.saw(u.ID, device, key)
			seen.Client = client
			return seen
		}
		see(t, s, with("phone", "a", "Firefox on Android"), with("laptop", "b", ""), with("laptop", "c", "Safari on Mac"))
		see(t, s, with("phone", "a", "Chrome on Android"), with("", "d", "Edge on Windows"))
		got := map[string]string{}
		for _, d := range must(s.Devices(t.Context(), u.ID))(t) {
			got[d.ID] = d.Client
		}
		same(t, "devices", map[string]string{"phone": "Chrome on Android", "laptop": "Safari on Mac"}, got)
		got = map[string]string{}
		for _, d := range must(s.Sessions(t.Context(), u.ID))(t) {
			got[d.Key] = d.Client
		}
		same(t, "sessions", map[string]string{"a": "Chrome on Android", "b": "", "c": "Safari on Mac", "d": "Edge on Windows"}, got)
	})
}

func TestSigningOthersOutKeepsTheDevicesOfTheTokenThatGoesOn(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		phone := c.saw(u.ID, "phone", "a")
		phone.Client = "Firefox on Android"
		see(t, s, phone, c.saw(u.ID, "laptop", "b"), c.saw(u.ID, "", "b"), c.saw(other.ID, "tablet", "c"))
		if err := s.SignOutOthers(t.Context(), "a", c.saw(u.ID, "", "next")); err != nil {
			t.Fatal(err)
		}
		same(t, "devices", []models.Device{{ID: "phone", Client: "Firefox on Android", FirstSeen: c.now, LastSeen: c.now}},
			must(s.Devices(t.Context(), u.ID))(t))
		same(t, "sessions", "next", must(s.Sessions(t.Context(), u.ID))(t)[0].Key)
		same(t, "of another", []string{"tablet"}, known(t, s, other.ID))
		same(t, "generation", int64(1), must(s.UserByID(t.Context(), u.ID))(t).TokenGeneration)
	})
}

// A process that noted a token a moment before another one ended all tokens listed its device
// among those that are signed in, until the token would have expired.
func TestADeviceThatIsNotedLateIsNotListedAfterAllOthersWereSignedOut(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u := storetest.User(t, s)
		see(t, s, c.saw(u.ID, "phone", "a"))
		if err := s.SignOutOthers(t.Context(), "a", c.saw(u.ID, "", "next")); err != nil {
			t.Fatal(err)
		}
		next := c.saw(u.ID, "phone", "next")
		next.Generation = 1
		see(t, s, c.saw(u.ID, "laptop", "b"), c.saw(u.ID, "", "b"), c.saw(u.ID, "phone", "a"), next)
		same(t, "devices", []string{"phone"}, known(t, s, u.ID))
		sessions := must(s.Sessions(t.Context(), u.ID))(t)
		same(t, "sessions", 1, len(sessions))
		same(t, "session", "next", sessions[0].Key)
	})
}

func TestSigningADeviceOutRefusesItsTokensAndNoOthers(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		see(t, s, c.saw(alice.ID, "phone", "a1"), c.saw(alice.ID, "phone", "a2"), c.saw(alice.ID, "laptop", "a3"),
			c.saw(bob.ID, "phone", "b1"))
		for _, unknown := range []string{"tablet", "", "\x00", "phone\x00"} {
			_, err := s.SignOutDevice(t.Context(), alice.ID, unknown, 0)
			wantKind(t, "device "+unknown, err, models.NotFound)
		}
		_, err := s.SignOutDevice(t.Context(), storetest.ID(), "phone", 0)
		wantKind(t, "device of nobody", err, models.NotFound)

		keys := must(s.SignOutDevice(t.Context(), alice.ID, "phone", time.Hour))(t)
		same(t, "tokens", 2, len(keys))
		for key, want := range map[string]bool{"a1": true, "a2": true, "a3": false, "b1": false} {
			same(t, "refused "+key, want, must(s.TokenRevoked(t.Context(), key))(t))
		}
		var said []string
		for _, ch := range must(s.Changes(t.Context(), alice.ID, 0, 10))(t) {
			said = append(said, fmt.Sprint(ch.Kind, " ", ch.EntityID))
		}
		same(t, "log", []string{"signed_out " + keys[0], "signed_out " + keys[1]}, said)
		same(t, "her devices", []string{"laptop"}, known(t, s, alice.ID))
		same(t, "his devices", []string{"phone"}, known(t, s, bob.ID))
		_, err = s.SignOutDevice(t.Context(), alice.ID, "phone", 0)
		wantKind(t, "device that is out", err, models.NotFound)
	})
}

// Each new token was recorded for all names by which a device had called itself.
func TestATokenIsRenewedForItsFirstDevicesAlone(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u, began := storetest.User(t, s), c.now
		see(t, s, c.saw(u.ID, "phone", "a"))
		c.now = began.Add(time.Second)
		var names []models.DeviceToken
		for i := range 150 {
			names = append(names, c.saw(u.ID, fmt.Sprint("a name ", i), "a"))
		}
		see(t, s, names...)
		if err := s.RenewToken(t.Context(), "a", c.saw(u.ID, "", "b")); err != nil {
			t.Fatal(err)
		}
		for _, l := range must(s.Sessions(t.Context(), u.ID))(t) {
			if l.Key == "b" {
				same(t, "devices of the new token", 100, len(l.Devices))
			}
		}
		must(s.SignOutDevice(t.Context(), u.ID, "phone", time.Hour))(t)
		same(t, "refused with the first device", true, must(s.TokenRevoked(t.Context(), "b"))(t))
	})
}

// A token is refused for as long as it would have been good, and grace.
func TestATokenOfASignedOutDeviceIsRefusedUntilItHasExpired(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u, began := storetest.User(t, s), c.now
		see(t, s, c.saw(u.ID, "phone", "a"))
		must(s.SignOutDevice(t.Context(), u.ID, "phone", time.Hour))(t)
		for _, step := range []struct {
			after time.Duration
			want  bool
		}{{2 * time.Hour, true}, {2*time.Hour + time.Second, false}} {
			c.now = began.Add(step.after)
			must(s.Prune(t.Context(), began, 10))(t)
			same(t, "refused", step.want, must(s.TokenRevoked(t.Context(), "a"))(t))
		}
	})
}

// The last socket of a device that was signed out is noted when it has gone, which
// is after its sign-out.
func TestASignedOutDeviceIsListedAgainWhenItsLastSocketHasGone(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u := storetest.User(t, s)
		phone, laptop := c.saw(u.ID, "phone", "a"), c.saw(u.ID, "laptop", "b")
		see(t, s, phone, laptop)
		must(s.SignOutDevice(t.Context(), u.ID, "phone", 0))(t)
		see(t, s, phone)
		same(t, "signed out", []string{"laptop"}, known(t, s, u.ID))
		_, err := s.SignOutDevice(t.Context(), u.ID, "phone", 0)
		wantKind(t, "signed out again", err, models.NotFound)

		if err := s.RevokeToken(t.Context(), laptop.Key, u.ID, laptop.ExpiresAt); err != nil {
			t.Fatal(err)
		}
		same(t, "logged out", []string(nil), known(t, s, u.ID))
		see(t, s, c.saw(u.ID, "laptop", "c"))
		same(t, "signed in again", []string{"laptop"}, known(t, s, u.ID))
	})
}

func TestDevicesThatAPasswordChangePutOutAreListedStill(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		see(t, s, c.saw(u.ID, "phone", "a"), c.saw(other.ID, "phone", "b"))
		if err := s.SetPassword(t.Context(), u.ID, []byte("new")); err != nil {
			t.Fatal(err)
		}
		same(t, "devices", []string(nil), known(t, s, u.ID))
		same(t, "of another", []string{"phone"}, known(t, s, other.ID))
	})
}

func TestRoomsAreKeptForTheirUserAlone(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		keep := func(userID, session string, rooms ...string) {
			t.Helper()
			if err := s.KeepRooms(t.Context(), userID, session, rooms); err != nil {
				t.Fatalf("KeepRooms: %v", err)
			}
		}
		kept := func(userID, session string) []string {
			t.Helper()
			return must(s.KeptRooms(t.Context(), userID, session))(t)
		}
		same(t, "never kept", []string(nil), kept(alice.ID, "s1"))
		keep(alice.ID, "s1", "expense:1")
		keep(alice.ID, "s1", "expense:1", "dashboard:\"\\ 🍜")
		keep(alice.ID, "s2", "expense:3")
		same(t, "kept last", []string{"expense:1", "dashboard:\"\\ 🍜"}, kept(alice.ID, "s1"))
		same(t, "of another", []string(nil), kept(bob.ID, "s1"))
		keep(bob.ID, "s1")
		same(t, "not his to forget", 2, len(kept(alice.ID, "s1")))
		keep(alice.ID, "s1")
		same(t, "forgotten", []string(nil), kept(alice.ID, "s1"))

		must(s.Prune(t.Context(), c.now, 10))(t)
		same(t, "not old yet", []string{"expense:3"}, kept(alice.ID, "s2"))
		must(s.Prune(t.Context(), c.now.Add(time.Second), 10))(t)
		same(t, "too old", []string(nil), kept(alice.ID, "s2"))
	})
}

// Who loads a page anew, and anew, is a new page each time, and none of them says
// goodbye.
func TestPagesThatNeverCameBackPiledUp(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		alice, bob := storetest.User(t, s), storetest.User(t, s)
		keep := func(userID, session string) {
			t.Helper()
			c.now = c.now.Add(time.Second)
			if err := s.KeepRooms(t.Context(), userID, session, []string{"expense:1"}); err != nil {
				t.Fatalf("KeepRooms: %v", err)
			}
		}
		keep(bob.ID, "his")
		for i := range 600 {
			keep(alice.ID, fmt.Sprint("page ", i))
			if i == 300 {
				keep(alice.ID, "page 0") // which joined another room
			}
		}
		same(t, "pages", int64(501), must(s.Count(t.Context(), "kept_rooms"))(t))
		for page, want := range map[string]int{"page 0": 1, "page 1": 0, "page 100": 0, "page 101": 1, "page 599": 1} {
			same(t, page, want, len(must(s.KeptRooms(t.Context(), alice.ID, page))(t)))
		}
		same(t, "another user's", 1, len(must(s.KeptRooms(t.Context(), bob.ID, "his"))(t)))
	})
}

func TestAPageThatGoesOnComingBackLostItsRoomsToPrune(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		alice, retention := storetest.User(t, s), 90*24*time.Hour
		for _, page := range []string{"comes back", "does not"} {
			if err := s.KeepRooms(t.Context(), alice.ID, page, []string{"expense:1"}); err != nil {
				t.Fatal(err)
			}
		}
		for range 10 {
			c.now = c.now.AddDate(0, 0, 20)
			must(s.Prune(t.Context(), c.now.Add(-retention), 10))(t)
			same(t, "rooms of the page that comes back", []string{"expense:1"}, must(s.KeptRooms(t.Context(), alice.ID, "comes back"))(t))
		}
		same(t, "pages", int64(1), must(s.Count(t.Context(), "kept_rooms"))(t))
	})
}

// Nobody's device or room outlives the account.
func TestDevicesAndRoomsGoWithTheirUser(t *testing.T) {
	clocked(t, func(t *testing.T, s *store.Store, c *clock) {
		u := storetest.User(t, s)
		see(t, s, c.saw(u.ID, "phone", "a"))
		if err := s.KeepRooms(t.Context(), u.ID, "s", []string{"expense:1"}); err != nil {
			t.Fatal(err)
		}
		if err := s.DeleteUser(t.Context(), u.ID); err != nil {
			t.Fatal(err)
		}
		same(t, "devices", []string(nil), known(t, s, u.ID))
		same(t, "rooms", []string(nil), must(s.KeptRooms(t.Context(), u.ID, "s"))(t))
	})
}
