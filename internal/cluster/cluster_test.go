package cluster

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/keyring"
)

func TestProcessesKnowWhichOthersLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		f.ahead = time.Hour // the clocks of processes do not matter
		a := join(t, f, Options{})
		b := join(t, f, Options{})
		if len(a.id) != IDLength || a.id == b.id {
			t.Errorf("ids %q and %q", a.id, b.id)
		}
		time.Sleep(beatInterval + time.Second)
		if diff := cmp.Diff([]string{b.id}, a.others()); diff != "" {
			t.Errorf("others of a (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{a.id}, b.others()); diff != "" {
			t.Errorf("others of b (-want +got):\n%s", diff)
		}
		owner := b.known(a.id)
		a.kill()
		time.Sleep(deadAfter)
		if got := b.others(); len(got) != 1 {
			t.Errorf("after ten seconds of silence b knows %v", got)
		}
		time.Sleep(beatInterval)
		if got := b.others(); len(got) != 0 {
			t.Errorf("b takes a dead process for living: %v", got)
		}
		if owner.gone.Err() == nil {
			t.Error("what is forwarded to a dead process goes on")
		}
	})
}

func TestAProcessThatLeavesIsGoneAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a, b := join(t, f, Options{}), join(t, f, Options{})
		time.Sleep(beatInterval)
		synctest.Wait()
		if b.Replaced() != true {
			t.Error("b has nobody to replace it")
		}
		a.StartDraining(t.Context())
		b.refresh(t.Context())
		if b.Replaced() || len(b.others()) != 1 {
			t.Errorf("beside b there is %v", b.Others())
		}
		a.kill()
		if err := a.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		b.refresh(t.Context())
		if got := b.others(); len(got) != 0 {
			t.Errorf("b knows %v", got)
		}
	})
}

// A heartbeat after it would announce the process again, and devices that have moved would be
// gone for everybody until that row is old.
func TestAProcessThatHasLeftDoesNotComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{})
		if err := a.Leave(t.Context()); err != nil { // while Run goes on
			t.Error(err)
		}
		go a.refresh(t.Context())
		time.Sleep(2 * beatInterval)
		if ids := f.ids(); len(ids) != 0 || a.Generation() != 1 {
			t.Errorf("%v lives, in generation %d", ids, a.Generation())
		}
	})
}

// A process that has just started may have sessions before the next heartbeat of others.
func TestANewcomerIsLookedUpWhenItIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{})
		time.Sleep(beatInterval + time.Second/2)
		b := join(t, f, Options{})
		began := time.Now()
		if a.peer(t.Context(), b.id) == nil {
			t.Error("the newcomer is unknown")
		}
		if d := time.Since(began); d > refreshPause {
			t.Errorf("looking it up took %v", d)
		}
	})
}

func TestLookingUpUnknownProcessesCostsFewHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{})
		for range 10_000 {
			go a.peer(t.Context(), "unknown1")
		}
		synctest.Wait()
		time.Sleep(time.Second)
		for range 100 {
			a.peer(t.Context(), "unknown2")
		}
		if n := f.beats(); n > 130 {
			t.Errorf("%d heartbeats", n)
		}
	})
}

func TestAProcessThatOthersTookForDeadAnnouncesItselfAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{})
		if a.Generation() != 1 {
			t.Errorf("generation %d at first", a.Generation())
		}
		time.Sleep(time.Minute)
		if len(a.generations) != 0 {
			t.Error("a new generation without a cause")
		}
		f.forget(a.id) // the server of the database crashed: the table is empty
		time.Sleep(beatInterval)
		if got := <-a.generations; got != 2 || a.Generation() != 2 {
			t.Errorf("generation %d", got)
		}
		f.setFailure(errDown)
		time.Sleep(time.Minute)
		f.setFailure(nil)
		if got := <-a.generations; got != 3 {
			t.Errorf("generation %d after the database was away", got)
		}
		if n := a.log.count("the heartbeat of this process cannot be written"); n != 1 {
			t.Errorf("the failure was logged %d times", n)
		}
	})
}

func TestNothingIsForgottenWhileTheDatabaseIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a, b := join(t, f, Options{}), join(t, f, Options{})
		time.Sleep(beatInterval + time.Second)
		// Whichever beats first when the database is back finds the other's heartbeat old.
		known := func() [2]*peer { return [2]*peer{a.known(b.id), b.known(a.id)} }
		before := known()
		alive := func() bool { return known() == before && before[0].gone.Err() == nil && before[1].gone.Err() == nil }
		f.setFailure(errDown)
		time.Sleep(time.Minute)
		if !alive() {
			t.Error("the other process counts as dead while the database is away")
		}
		f.setFailure(nil)
		time.Sleep(time.Minute)
		if !alive() {
			t.Error("the other process counted as dead when the database was back")
		}
	})
}

func TestAProcessWithAnotherSecretIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{URL: "http://10.0.0.5:3000"})
		_, err := tryJoin(t, f, Options{Ring: keyring.New([]byte("another secret of at least thirty-two bytes"))})
		if err == nil || !strings.Contains(err.Error(), "set JWT_SECRET to the same value") ||
			!strings.Contains(err.Error(), "http://10.0.0.5:3000") {
			t.Errorf("Join: %v", err)
		}
		if diff := cmp.Diff([]string{a.id}, f.ids()); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		if a.log.count("set JWT_SECRET to the same value") != 1 || len(a.others()) != 0 {
			t.Errorf("a knows %v", a.others())
		}
	})
}

func TestASecretIsChangedInTwoRolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		old, next := []byte(testSecret), []byte("another secret of at least thirty-two bytes")
		before := join(t, f, Options{Ring: keyring.New(old)})
		for _, ring := range []keyring.Ring{keyring.New(old, next), keyring.New(next, old), keyring.New(next)} {
			p := join(t, f, Options{Ring: ring})
			time.Sleep(2 * beatInterval) // until before has read who left and who came
			if diff := cmp.Diff([]string{p.id}, before.others()); diff != "" {
				t.Errorf("other processes (-want +got):\n%s", diff)
			}
			if n := p.log.count("another secret"); n != 0 {
				t.Errorf("another secret was logged %d times", n)
			}
			if err := before.Leave(t.Context()); err != nil {
				t.Error(err)
			}
			before = p
		}
	})
}

func TestAKilledProcessWithAnotherSecretIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		join(t, f, Options{}).kill()
		c := join(t, f, Options{Ring: keyring.New([]byte("another secret of at least thirty-two bytes"))})
		if n := c.log.count("the start waits for its end"); n != 1 {
			t.Errorf("the waiting was logged %d times", n)
		}
	})
}

func TestProcessesThatComeAndGoAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a, b, killed := join(t, f, Options{}), join(t, f, Options{}), join(t, f, Options{})
		time.Sleep(time.Minute)
		if n := a.log.count("another process serves the same database"); n != 2 {
			t.Errorf("two newcomers were logged %d times", n)
		}
		b.StartDraining(t.Context())
		killed.kill()
		time.Sleep(beatInterval)
		b.kill()
		if err := b.Leave(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		for _, line := range []string{"another process has ended", "another process is gone"} {
			if n := a.log.count(line); n != 1 {
				t.Errorf("%q was logged %d times", line, n)
			}
		}
	})
}

func TestProcessesOfDifferentVersionsAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a, b := join(t, f, Options{Version: "1"}), join(t, f, Options{Version: "2"})
		time.Sleep(time.Minute)
		if n := a.log.count("of another version"); n != 1 || len(a.others()) != 1 || len(b.others()) != 1 {
			t.Errorf("logged %d times; others %v and %v", n, a.others(), b.others())
		}
	})
}

func TestALoopbackAddressBesideOtherMachinesIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeTable()
		a := join(t, f, Options{URL: "http://localhost:3000"})
		join(t, f, Options{URL: "http://127.0.0.1:3001"})
		time.Sleep(time.Minute)
		if a.log.count("on another machine") != 0 {
			t.Error("processes of one machine reach each other by loopback")
		}
		join(t, f, Options{URL: "http://[fd00::7]:3000"})
		time.Sleep(time.Minute)
		if n := a.log.count("on another machine, and cannot reach this one at http://localhost:3000: set ADVERTISE_URL"); n != 1 {
			t.Errorf("logged %d times", n)
		}
	})
}

func TestAProcessAloneNeedsNoCluster(t *testing.T) {
	var c *Cluster
	if c.ID() != "" || c.Generation() != 0 || c.Others() != nil || c.Replaced() || c.Tunnels() != nil || c.Stats() != (Stats{}) {
		t.Error("a nil Cluster has something")
	}
	c.StartDraining(t.Context())
	for _, err := range []error{
		c.Run(t.Context()), c.StopForwarding(t.Context()), c.Leave(t.Context()), c.CheckReachable(t.Context()),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestTheAdvertisedURLIsWhereAProcessListens(t *testing.T) {
	for _, tt := range []struct {
		listening string
		https     bool
		want      string
	}{
		{"127.0.0.1:3000", false, "http://127.0.0.1:3000"},
		{"10.0.0.5:3000", true, "https://10.0.0.5:3000"},
		{"[fd00::7]:3000", false, "http://[fd00::7]:3000"},
	} {
		addr := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(tt.listening))
		if got := AdvertisedURL(addr, tt.https); got != tt.want {
			t.Errorf("listening on %s: %s", tt.listening, got)
		}
	}
	all := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::]:3000"))
	if a, err := parseAddress(AdvertisedURL(all, false)); err != nil || !strings.HasSuffix(a.host, ":3000") ||
		strings.Contains(a.host, "[::]") {
		t.Errorf("listening on all: %+v, %v", a, err)
	}
}

func TestTheFirstAddressThatOthersReach(t *testing.T) {
	for _, tt := range []struct {
		addresses string
		onlyIPv4  bool
		want      string
	}{
		{"127.0.0.1 ::1 fe80::1 fd00::7 172.17.0.2 10.0.0.5", false, "172.17.0.2"},
		{"127.0.0.1 ::1 fe80::1 fd00::7", false, "fd00::7"},
		{"127.0.0.1 ::1 fd00::7", true, "127.0.0.1"},
		{"127.0.0.1 169.254.1.1", false, "127.0.0.1"},
	} {
		var all []netip.Addr
		for text := range strings.FieldsSeq(tt.addresses) {
			all = append(all, netip.MustParseAddr(text))
		}
		if got := firstAddress(all, tt.onlyIPv4).String(); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.addresses, got, tt.want)
		}
	}
}

func TestAddressesOfProcesses(t *testing.T) {
	for text, want := range map[string]string{
		"http://10.0.0.5:3000": "10.0.0.5:3000", "http://app": "app:80", "https://[fd00::7]": "[fd00::7]:443",
		"": "", "app:3000": "", "ftp://app": "", "http://": "", "http://a b": "",
	} {
		a, err := parseAddress(text)
		if (err == nil) != (want != "") || a.dial != want {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
}
