package operator

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"expenseflow/internal/store"
	"expenseflow/models"
)

// page is how many accounts are read at once.
const page = 500

// list streams the accounts, one JSON document each, in the order of their addresses. match
// selects those whose address contains it.
func (h *handler) list(w http.ResponseWriter, r *http.Request) error {
	match := models.NormalizeEmail(r.URL.Query().Get("match"))
	accounts, err := h.Store.Accounts(r.Context(), "", match, page)
	if err != nil {
		return err
	}
	out := json.NewEncoder(w)
	for len(accounts) > 0 {
		if writeAccounts(out, accounts) != nil {
			return nil // the client has gone
		}
		last := accounts[len(accounts)-1].Email
		if accounts, err = h.Store.Accounts(r.Context(), last, match, page); err != nil {
			panic(http.ErrAbortHandler) // the client sees that the answer is not whole
		}
	}
	return nil
}

func writeAccounts(out *json.Encoder, accounts []store.Account) error {
	for _, a := range accounts {
		if err := out.Encode(accountOf(a)); err != nil {
			return err
		}
	}
	return nil
}

func (h *handler) show(w http.ResponseWriter, r *http.Request) error {
	u, err := h.user(r)
	if err != nil {
		return err
	}
	return answer(w, userOf(u))
}

func (h *handler) create(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[newUser](w, r)
	if err != nil {
		return err
	}
	u, err := h.Accounts.Register(r.Context(), body.Name, body.Email, body.Password)
	if err != nil {
		return err
	}
	return h.done(w, r, "made an account", u)
}

func (h *handler) resetPassword(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[newPassword](w, r)
	if err != nil {
		return err
	}
	u, err := h.user(r)
	if err == nil {
		err = h.Accounts.ResetPassword(r.Context(), u.ID, body.Password)
	}
	if err != nil {
		return err
	}
	return h.ended(w, r, "reset a password", u)
}

func (h *handler) signOut(w http.ResponseWriter, r *http.Request) error {
	u, err := h.user(r)
	if err == nil {
		err = h.Store.SignOutEverywhere(r.Context(), u.ID)
	}
	if err != nil {
		return err
	}
	return h.ended(w, r, "signed an account out", u)
}

func (h *handler) remove(w http.ResponseWriter, r *http.Request) error {
	u, err := h.user(r)
	if err == nil {
		err = h.Ledger.RemoveAccount(r.Context(), u.ID)
	}
	if err != nil {
		return err
	}
	return h.ended(w, r, "deleted an account", u)
}

func (h *handler) token(w http.ResponseWriter, r *http.Request) error {
	if h.Issue == nil {
		return models.E(models.Forbidden, h.NoTokens)
	}
	body, err := decode[newToken](w, r)
	if err != nil {
		return err
	}
	u, err := h.user(r)
	if err != nil {
		return err
	}
	token, expires, err := h.Issue(u, time.Duration(body.Seconds)*time.Second)
	if err != nil {
		return fmt.Errorf("make a token: %w", err)
	}
	h.Logger.InfoContext(r.Context(), "an operator made a token", slog.String("user_id", u.ID))
	return answer(w, Token{token, expires, u.ID})
}
