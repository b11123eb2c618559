package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A secret is changed in two rolls of three processes: first the new one is made known, then
// it signs. At each step every process accepts the tokens of all, a change made anywhere
// reaches every device, and whoever comes back continues where it was.
func TestASecretIsChangedWhileEverybodyStaysSignedIn(t *testing.T) {
	const next = "the next secret of the e2e tests, long enough to be taken"
	n := startNode(t)
	c := &secretChange{fleet: processes(t, 3)}
	c.account = register(t, c.fleet[0])
	c.tokens = append(c.tokens, c.account.Token)
	c.devices = n.connectByEach(t, behindABalancer(t, c.fleet).url(), c.account, 2)

	c.roll(t, jwtSecret, next)
	c.roll(t, next, jwtSecret)

	for i, d := range c.devices {
		same(t, fmt.Sprint("changes heard by device ", i), c.made, d.changes())
		if connects := d.recovered(t); len(connects) < 3 || slices.Contains(connects[1:], false) {
			t.Errorf("device %d: recovered %v, want each connection but the first", i, connects)
		}
		for _, refusal := range d.noted("connect_error") {
			if strings.Contains(join(refusal.Args), "Authentication error") {
				t.Errorf("device %d was refused: %s", i, join(refusal.Args))
			}
		}
	}
	for i, p := range c.fleet {
		if log := p.log.tail(); strings.Contains(log, "another secret") {
			t.Errorf("process %d met one with another secret:\n%s", i, log)
		}
	}
}

// A secretChange is three processes whose secret is changed.
type secretChange struct {
	fleet   []*program
	account *account
	devices []*device
	tokens  []string // of the account, signed by every secret so far
	made    []string // events of the expenses so far
}

// roll starts each process again with these secrets.
func (c *secretChange) roll(t *testing.T, current, previous string) {
	t.Helper()
	for _, p := range c.fleet {
		if err := p.stop(); err != nil {
			t.Fatal(err)
		}
		p.env = append(p.env, "JWT_SECRET="+current, "JWT_SECRET_PREVIOUS="+previous)
		if err := p.start(); err != nil {
			t.Fatal(err)
		}
		c.check(t, p)
	}
}

// check has a process sign a token, and every process accept those that there are.
func (c *secretChange) check(t *testing.T, started *program) {
	t.Helper()
	var fresh struct{ Token string }
	call(t, http.MethodPost, started.url()+"/api/auth/refresh", c.account.Token, nil).want(t, http.StatusOK).into(t, &fresh)
	c.tokens = append(c.tokens, fresh.Token)
	for _, p := range c.fleet {
		for i, token := range c.tokens {
			if a, err := try(http.MethodGet, p.url()+"/api/user/profile", token, nil); err != nil || a.status != http.StatusOK {
				t.Errorf("token %d is refused by %s: %v, %s", i, p.url(), err, a.body)
			}
		}
		c.account.p = p
		c.made = append(c.made, "expense_created "+c.account.create(t, fmt.Sprint("number ", len(c.made)), "").ID)
	}
	for _, d := range c.devices {
		d.hear(t, len(c.made), "expense_created")
	}
	for _, p := range c.fleet {
		c.checkNothingForged(t, p)
	}
}

// forged are the lines of metrics about hints and forwards that no process seems to have signed.
var forged = regexp.MustCompile(`(?m)^expenseflow_(\w+)\{[^}]*"forged"[^}]*\} (\S+)$`)

func (c *secretChange) checkNothingForged(t *testing.T, p *program) {
	t.Helper()
	lines := forged.FindAllStringSubmatch(readMetrics(t, strings.TrimSuffix(p.metrics(t), "/metrics")), -1)
	for _, l := range lines {
		if l[2] != "0" {
			t.Errorf("%s has %s of %s that it takes for forged", p.url(), l[2], l[1])
		}
	}
	if len(lines) < 2 {
		t.Errorf("metrics of forged hints and forwards: %q", lines)
	}
}
