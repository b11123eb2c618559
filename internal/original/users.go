package original

import (
	"regexp"
	"slices"
	"strings"

	"expenseflow/internal/ledger"
	"expenseflow/internal/mongodump"
	"expenseflow/internal/operator"
	"expenseflow/models"
)

// accountBatch is how many accounts are asked for at once.
const accountBatch = 100

// An accountMap says which account the documents of a user belong to. It holds what cannot be
// said of the id alone.
type accountMap struct {
	others  map[string]string // by the user's id: the account's, if it is another; "" if it was refused
	planned map[string]bool   // accounts that a dry run made in Options.Scratch
}

func newAccountMap() accountMap {
	return accountMap{others: map[string]string{}, planned: map[string]bool{}}
}

// owner returns the account of a user.
func (m *accountMap) owner(user string) (string, error) {
	account, other := m.others[user]
	switch {
	case user == "":
		return "", problem("It has no user")
	case other && account == "":
		return "", problem("Its user was not imported")
	case other:
		return account, nil
	case !models.IsID(user):
		return "", problem(operator.ReasonNoAccount)
	}
	return user, nil
}

// importUsers makes the accounts.
func (r *run) importUsers() error {
	c := r.report.collection("users")
	var waiting []ledger.AccountRecord
	flush := func() error {
		err := r.makeAccounts(waiting, c)
		waiting = waiting[:0]
		return err
	}
	only := func(ns mongodump.Namespace) bool { return r.isOf(ns) && ns.Collection == "users" }
	err := r.dump.Each(only, func(doc mongodump.Document) error {
		r.progress()
		d, err := parse(doc.Raw)
		if err != nil {
			c.refuse("", err)
			return nil
		}
		a, err := account(d, c)
		if err != nil {
			r.accounts.others[d.id] = ""
			c.refuse(d.id, err)
			return nil
		}
		if waiting = append(waiting, a); len(waiting) < accountBatch {
			return r.ctx.Err()
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}

func (r *run) makeAccounts(accounts []ledger.AccountRecord, c *Collection) error {
	if len(accounts) == 0 {
		return nil
	}
	results, err := r.askForAccounts(accounts)
	if err != nil {
		return err
	}
	for i, result := range results {
		a := &accounts[i]
		if result.Outcome == ledger.ImportRefused {
			r.accounts.others[a.ID] = ""
		} else if result.ID != a.ID {
			r.accounts.others[a.ID] = result.ID
		}
		c.count(a.ID, result)
	}
	return nil
}

// askForAccounts makes the accounts. A dry run asks which would be made, and makes these in
// Options.Scratch.
func (r *run) askForAccounts(accounts []ledger.AccountRecord) (results []operator.Imported, err error) {
	if !r.opts.DryRun {
		return r.target.ImportAccounts(r.ctx, accounts, false)
	}
	if results, err = r.plans(accounts); err != nil {
		return nil, err
	}
	for i := range results {
		if results[i].Outcome != ledger.ImportNew {
			continue
		}
		made, err := r.opts.Scratch.ImportAccounts(r.ctx, accounts[i:i+1], false)
		if err != nil {
			return nil, err
		}
		results[i] = made[0]
		r.accounts.planned[made[0].ID] = true
	}
	return results, nil
}

// plans returns what would become of accounts; without a database each would be new.
func (r *run) plans(accounts []ledger.AccountRecord) ([]operator.Imported, error) {
	if r.target != nil {
		return r.target.ImportAccounts(r.ctx, accounts, true)
	}
	return slices.Repeat([]operator.Imported{{Outcome: ledger.ImportNew}}, len(accounts)), nil
}

// bcryptHash is a hash as bcryptjs and others write it.
var bcryptHash = regexp.MustCompile(`^\$2[aby]\$[0-3][0-9]\$[./A-Za-z0-9]{53}$`)

// account maps a user.
func account(d document, c *Collection) (a ledger.AccountRecord, err error) {
	a = ledger.AccountRecord{ID: d.id, CreatedAt: d.created}
	for _, f := range d.fields {
		switch f.name {
		case "email":
			a.Email, err = text(f.name, f.value)
		case "name":
			a.Name, err = text(f.name, f.value)
		case "password":
			if hash, _ := f.value.StringValueOK(); bcryptHash.MatchString(hash) {
				a.PasswordHash = []byte(hash)
			}
		case "preferredCurrency":
			a.Currency = currency(f, c)
		case "twoFactorAuth":
			if nested, _ := f.value.DocumentOK(); isTrue(nested.Lookup("enabled")) {
				c.note("two-factor authentication, which is not here, was on: the password alone signs in")
			}
		case "security", "locale": // counters of sign-ins; the language is the browser's
		default:
			c.unknownField(f)
		}
		if err != nil {
			return a, err
		}
	}
	if a.PasswordHash == nil {
		c.note("without a bcrypt password: expenseflow users reset-password ADDRESS gives one")
	}
	if models.Trim(a.Name) == "" {
		a.Name, _, _ = strings.Cut(a.Email, "@")
		c.note("without a name, which is now the address up to the @")
	}
	return a, nil
}

func currency(f field, c *Collection) string {
	code, _ := f.value.StringValueOK()
	code = models.CurrencyCode(code)
	if _, known := models.FindCurrency(code); !known && code != "" {
		c.note("a preferredCurrency that is not known here was left out")
		return ""
	}
	return code
}
