package engineio

import (
	"testing"

	"pgregory.net/rapid"
)

func newQuotas(most int64) *quotas {
	return &quotas{most: [resources]int64{most, most, most}, accounts: map[string]*account{}}
}

// Whatever is taken and given back: the bound holds, half of it is there for
// anybody, and an account that holds little is never refused for those who hold much.
func TestOneAccountNeverTakesAllOfAQuota(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 100
		q := newQuotas(most)
		names := []string{"a", "b", "c", "d"}
		accounts := map[string]*account{}
		for _, name := range names {
			accounts[name] = q.open(name)
		}
		for range rapid.IntRange(1, 300).Draw(t, "steps") {
			a := accounts[rapid.SampledFrom(names).Draw(t, "account")]
			n := int64(rapid.IntRange(1, 5).Draw(t, "n"))
			if rapid.Bool().Draw(t, "give") {
				q.give(a, ofBytes, min(n, a.held[ofBytes]))
				continue
			}
			used := q.used[ofBytes]
			v := q.take(a, ofBytes, n)
			if used+n <= most/2 && v != granted {
				t.Fatalf("refused at %d of %d", used, most)
			}
			if v == overShare && a.held[ofBytes]+n <= most/5 { // five accounts would have so much each
				t.Fatalf("an account with %d is refused a share", a.held[ofBytes])
			}
		}
		if q.used[ofBytes] > most {
			t.Fatalf("%d of %d in use", q.used[ofBytes], most)
		}
		for _, a := range accounts {
			q.give(a, ofBytes, a.held[ofBytes])
			q.done(a)
		}
		if len(q.accounts) != 0 || q.used[ofBytes] != 0 || q.holders[ofBytes] != 0 {
			t.Fatalf("left behind: %d accounts, %d used, %d holders", len(q.accounts), q.used[ofBytes], q.holders[ofBytes])
		}
	})
}

// An address that came first keeps what it has. What it gives back it gets again up to
// its share only, so that newcomers find room.
func TestAnAddressLeavesRoomForNewcomers(t *testing.T) {
	q := newQuotas(120)
	fill := func(a *account) {
		for q.take(a, ofSessions, 1) == granted {
		}
	}
	accounts := []*account{q.open("a"), q.open("b"), q.open("c"), q.open("d")}
	for range 3 { // sessions end, and those who had them come back
		for _, a := range accounts {
			fill(a)
		}
		for _, a := range accounts {
			q.give(a, ofSessions, a.held[ofSessions]/2)
			fill(a)
		}
	}
	for i, a := range accounts {
		if n := a.held[ofSessions]; n < 20 || n > 40 {
			t.Errorf("address %d holds %d of 120", i, n)
		}
	}
	if q.take(q.open("newcomer"), ofSessions, 1) != granted {
		t.Error("a newcomer finds no room")
	}
}

func TestAccountsOfAddresses(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:1234":             "192.0.2.7",
		"[::ffff:192.0.2.7]:1":       "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:80":  "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:443": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:1":           "fe80::/64",
		"pipe":                       "pipe",
	} {
		if got := accountOf(addr); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
