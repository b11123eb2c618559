package ledger

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"expenseflow/models"
)

// An AccountRecord is an account to import.
type AccountRecord struct {
	ID        string
	CreatedAt time.Time // zero: not known
	Name      string
	Email     string

	// PasswordHash is a bcrypt hash ($2a$, $2b$ or $2y$ and 60 characters), or one of this
	// program's with its prefix (auth.Hasher). nil is an account that nobody can sign in to
	// until it gets a password (expenseflow users reset-password).
	PasswordHash []byte

	Zone, Currency string // "" is not chosen
}

// storedHash is what auth.Hasher can compare with in a few seconds: each step of the cost, which
// is at most 15, doubles the time.
var storedHash = regexp.MustCompile(`^(\$bcrypt-sha256\$)?\$2[ab]\$(0[4-9]|1[0-5])\$[./A-Za-z0-9]{53}$`)

// normalizeHash returns a hash as this program compares passwords with it. $2y$ is another
// name of $2b$.
func normalizeHash(hash []byte) ([]byte, error) {
	if len(hash) == 0 {
		return []byte{}, nil
	}
	text := string(hash)
	if rest, y := strings.CutPrefix(text, "$2y$"); y {
		text = "$2b$" + rest
	}
	if !storedHash.MatchString(text) {
		return nil, models.E(models.Invalid,
			"The password hash is not of bcrypt with a cost of 4 to 15: import the account without it and reset the password")
	}
	return []byte(text), nil
}

// ImportAccount makes the account of a record, without entries, and returns the id of the
// account that has them from now on. The id of the source stays if it is an id, so that old
// tokens of the same secret keep working; else it is ImportedID("", id).
//
// An account that is here already stays as it is: what was changed here, such as a password, is
// newer. An address that another account has, in whatever case, is refused, with the ID of that
// account in the result: a caller who knows that both are one person may import into it. dryRun
// changes nothing. The error is the store's.
func (l *Ledger) ImportAccount(ctx context.Context, r AccountRecord, dryRun bool) (ImportResult, error) {
	u, err := newImportedUser(r)
	if err != nil {
		return refused(err), nil
	}
	result, err := l.findImported(ctx, &u)
	if err != nil || result.Outcome != ImportNew || dryRun {
		return result, err
	}
	switch err := l.store.CreateUser(ctx, u); {
	case models.KindOf(err) == models.Conflict: // another import, or a registration, was first
		return l.findImported(ctx, &u)
	case err != nil:
		return ImportResult{}, fmt.Errorf("import an account: %w", err)
	}
	_ = l.store.WakeInvitations(ctx, u.Email) // after an error the next start of a process does
	return result, nil
}

func newImportedUser(r AccountRecord) (models.User, error) {
	reg := models.Registration{Name: r.Name, Email: r.Email}.Normalize()
	if err := models.InvalidIf(reg.CheckIdentity()); err != nil {
		return models.User{}, err
	}
	s := models.SettingsPatch{Zone: nonEmpty(r.Zone), Currency: nonEmpty(r.Currency)}
	if err := models.InvalidIf(s.Check()); err != nil {
		return models.User{}, err
	}
	hash, err := normalizeHash(r.PasswordHash)
	if err != nil {
		return models.User{}, err
	}
	id := strings.ToLower(r.ID)
	if !models.IsID(id) {
		id = ImportedID("", r.ID)
	}
	now := models.Millis(time.Now())
	created := models.Millis(r.CreatedAt)
	if r.CreatedAt.IsZero() || created.Year() < 0 || created.After(now) {
		created = now
	}
	return models.User{
		ID: id, Name: reg.Name, Email: reg.Email, PasswordHash: hash, CreatedAt: created,
		ChosenZone: r.Zone, ChosenCurrency: r.Currency,
	}, nil
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

var errAddressElsewhere = models.E(models.Conflict, "Another account here has this e-mail address")

// findImported returns whether an account is here already.
func (l *Ledger) findImported(ctx context.Context, u *models.User) (ImportResult, error) {
	found, err := l.store.UsersByIDOrEmail(ctx, u.ID, u.Email)
	if err != nil {
		return ImportResult{}, fmt.Errorf("import an account: %w", err)
	}
	result := ImportResult{Outcome: ImportNew, ID: u.ID}
	for _, other := range found {
		if other.ID == u.ID {
			return ImportResult{Outcome: ImportSame, ID: u.ID}, nil
		}
		result = ImportResult{Outcome: ImportRefused, ID: other.ID, Err: errAddressElsewhere}
	}
	return result, nil
}
