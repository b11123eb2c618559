package ledger_test

import (
	"strings"
	"testing"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

// hash is one of bcryptjs of the password "secret1".
const hash = "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"

func (h *fixture) account(r ledger.AccountRecord) ledger.ImportResult {
	h.t.Helper()
	result, err := h.ImportAccount(h.t.Context(), r, false)
	if err != nil {
		h.t.Fatalf("import an account: %v", err)
	}
	return result
}

func TestAnImportedAccountKeepsIDAndHash(t *testing.T) {
	each(t, func(h *fixture) {
		r := ledger.AccountRecord{
			ID: strings.ToUpper(storetest.ID()), CreatedAt: at(1), Name: "Bob", Email: " BOB@example.org", PasswordHash: []byte(hash),
			Zone: "Europe/Berlin", Currency: "EUR",
		}
		for _, want := range []ledger.ImportOutcome{ledger.ImportNew, ledger.ImportSame} {
			if got := h.account(r); got.Outcome != want || got.ID != strings.ToLower(r.ID) {
				h.t.Errorf("%+v, want %s", got, want)
			}
		}
		u, err := h.store.UserByEmail(h.t.Context(), "bob@example.org")
		same := string(u.PasswordHash) == hash && u.CreatedAt.Equal(at(1)) && u.ChosenCurrency == "EUR" && u.TokenGeneration == 0
		if err != nil || !same {
			h.t.Errorf("stored %+v, %v", u, err)
		}
	})
}

func TestAnAccountIsRefusedWithAReason(t *testing.T) {
	each(t, func(h *fixture) {
		for name, r := range map[string]ledger.AccountRecord{
			"address of another": {ID: storetest.ID(), Name: "Bob", Email: strings.ToUpper(h.user.Email)},
			"no address":         {ID: storetest.ID(), Name: "Bob", Email: "bob"},
			"no bcrypt":          {ID: storetest.ID(), Name: "Bob", Email: "bob@example.org", PasswordHash: []byte("secret1")},
			"a hash of hours":    {ID: storetest.ID(), Name: "Bob", Email: "bob@example.org", PasswordHash: []byte("$2a$31$" + hash[7:])},
			"no currency":        {ID: storetest.ID(), Name: "Bob", Email: "bob@example.org", Currency: "euro"},
		} {
			if got := h.account(r); got.Outcome != ledger.ImportRefused || got.Err == nil || models.Message(got.Err) == "" {
				h.t.Errorf("%s: %+v", name, got)
			}
		}
	})
}
