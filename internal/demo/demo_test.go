package demo

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// On whatever day the demo is started, its year has what it is there to show.
func TestAYearOnAnyDay(t *testing.T) {
	for today := models.Date(2027, time.January, 1); today < models.Date(2028, time.March, 1); today++ {
		year := Year(uint64(today), today)
		upcoming, abroad, incomes := 0, 0, 0
		for _, d := range year {
			if broken := d.Check(); broken != nil {
				t.Fatalf("%v: %+v breaks %v", today, d, broken)
			}
			if *d.Day > today {
				upcoming++
			}
			if d.Currency != currency {
				abroad++
			}
			if d.Type == "income" {
				incomes++
			}
		}
		if len(year) < 400 || len(year) > 1000 || upcoming < 3 || upcoming > 12 || abroad < 10 || incomes < 15 {
			t.Errorf("%v: %d entries, %d upcoming, %d in another currency, %d incomes", today, len(year), upcoming, abroad, incomes)
		}
		if first := *year[0].Day; first < today-yearDays {
			t.Errorf("%v: the first entry is of %v", today, first)
		}
		f := filling{Options: Options{Today: today}, year: year}
		if used := f.spentOnFood() * 100 / f.nearlySpent(); used < models.DefaultThreshold || used >= 100 {
			t.Errorf("%v: %d %% of the budget of food is used up", today, used)
		}
	}
}

func TestTheSameSeedMakesTheSameYear(t *testing.T) {
	today := models.Date(2026, time.November, 30)
	if diff := cmp.Diff(Year(7, today), Year(7, today)); diff != "" {
		t.Errorf("two years of one seed differ:\n%s", diff)
	}
	if cmp.Equal(Year(7, today), Year(8, today)) {
		t.Error("two seeds make one year")
	}
}

// plain keeps passwords as they are: the time of a real hash is not what is tried here.
type plain struct{}

func (plain) Hash(_ context.Context, password string) ([]byte, error) { return []byte(password), nil }

func (plain) Compare(context.Context, []byte, string) error { return nil }

func TestFilledAccount(t *testing.T) {
	s := storetest.New(t)
	l := ledger.New(s, nil, ledger.Options{})
	told := 0
	entries, err := Fill(t.Context(), Options{
		Ledger: l, Accounts: ledger.NewAccounts(s, plain{}, ledger.PasswordRules{}), Password: "a long password",
		Seed: 1, Today: models.DayOf(time.Now(), time.UTC), Progress: func(done, _ int) { told = done },
	})
	if err != nil {
		t.Fatal(err)
	}
	owner, err := s.UserByEmail(t.Context(), Email)
	if err != nil {
		t.Fatal(err)
	}
	if owner.Expenses != int64(entries) || told != entries || owner.Received != 1 {
		t.Errorf("%d entries, told of %d, stored %d and %d of the other person", entries, told, owner.Expenses, owner.Received)
	}
	budgets, err := s.BudgetStates(t.Context(), owner.ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	nearlyUsedUp := 0
	for _, b := range budgets {
		if b.Level == models.LevelThreshold && b.Budget.Category == "food" {
			nearlyUsedUp++
		}
	}
	if len(budgets) != 4 || nearlyUsedUp != 1 {
		t.Errorf("%d budgets, of which %d is nearly used up", len(budgets), nearlyUsedUp)
	}
}

const sealed = "default-src 'self'; frame-ancestors 'none'"

// startPage serves the page of the demo before a program with one page, on a port for each
// device, and returns both addresses.
func startPage(t *testing.T) (page *Page, laptop, phone string) {
	t.Helper()
	program := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", sealed)
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		_, _ = io.WriteString(w, "the program's "+r.URL.Path)
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	page = &Page{Password: "a long password", Phone: NewLine(ln)}
	server := httptest.NewServer(page.Handler(program))
	second := &http.Server{Handler: server.Config.Handler}
	go func() { _ = second.Serve(page.Phone) }() // until it is closed
	t.Cleanup(func() {
		server.Close()
		_ = second.Close() // the test is over
	})
	_, page.Port, _ = net.SplitHostPort(server.Listener.Addr().String())
	return page, server.URL, "http://" + ln.Addr().String()
}

func get(t *testing.T, url string) (http.Header, string) {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.Header, string(body)
}

func TestOnlyTheDemoFramesThePageAndNothingElse(t *testing.T) {
	page, laptop, phone := startPage(t)
	framed := "frame-ancestors http://127.0.0.1:" + page.Port + " http://localhost:" + page.Port
	for _, device := range []string{laptop, phone} {
		h, body := get(t, device+"/")
		policy, options := h.Get("Content-Security-Policy"), h.Get("X-Frame-Options")
		if !strings.HasSuffix(policy, framed) || options != "" || body != "the program's /" {
			t.Errorf("%s/: %q %q %q", device, policy, options, body)
		}
		h, body = get(t, device+"/api/expenses")
		policy, options = h.Get("Content-Security-Policy"), h.Get("X-Frame-Options")
		if policy != sealed || options == "" || body != "the program's /api/expenses" {
			t.Errorf("%s/api/expenses: %q %q %q", device, policy, options, body)
		}
	}
	h, body := get(t, laptop+"/demo")
	if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors 'none'") || !strings.Contains(p, phone) {
		t.Errorf("/demo: %q", p)
	}
	if !strings.Contains(body, `src="`+phone+`/demo/enter"`) || !strings.Contains(body, Email) {
		t.Errorf("/demo:\n%s", body)
	}
	if h, _ := get(t, laptop+"/demo/demo.css"); !strings.HasPrefix(h.Get("Content-Type"), "text/css") {
		t.Errorf("/demo/demo.css: %v", h)
	}
}

func TestAPhoneThatIsOfflineReachesNothing(t *testing.T) {
	_, laptop, phone := startPage(t)
	get(t, phone+"/") // leaves a connection open
	offline := func(value string) {
		res, err := http.Post(laptop+"/demo/phone?offline="+value, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	offline("true")
	if res, err := http.Get(phone + "/"); err == nil {
		res.Body.Close()
		t.Error("the phone reaches the program while it is offline")
	}
	if _, body := get(t, laptop+"/demo"); !strings.Contains(body, `aria-pressed="true"`) {
		t.Error("the page does not know that the phone is offline")
	}
	offline("false")
	get(t, phone+"/")
}
