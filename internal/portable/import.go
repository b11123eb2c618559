package portable

import (
	"context"
	"fmt"
	"io"

	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// An Importer reads exports into accounts. Its methods may be called concurrently.
type Importer struct {
	Store  *store.Store
	Ledger *ledger.Ledger

	// Progress is called while an account is imported into, and at the end; not in a dry run. It
	// must not block; it may be nil.
	Progress func(userID string, p wire.ImportProgress)
}

// ImportOptions say where an export goes.
type ImportOptions struct {
	// Into is the account to import into. "" is the file's own, for operators: it is made if it
	// is not here, with the file's id and, of an export with secrets, its password.
	Into string

	Name    string        // of the file, at most models.MaxImportName; "" is not known
	Author  models.Author // as in ledger.ImportOptions
	KeepIDs bool          // as in ledger.ImportOptions
	DryRun  bool          // changes nothing and returns what would be
}

// A Refusal is an element that was not imported.
type Refusal struct {
	Section string `json:"section"`
	Number  int64  `json:"number"` // in its section, from 1
	ID      string `json:"id,omitempty"`
	Reason  string `json:"reason"` // a sentence
}

// maxRefusals is how many refusals a Summary names. All are counted.
const maxRefusals = 100

// A Summary is what an import did, or in a dry run would do.
type Summary struct {
	UserID     string                          `json:"userId"`
	Email      string                          `json:"email"` // of the account that was imported into
	NewAccount bool                            `json:"newAccount"`
	NoPassword bool                            `json:"noPassword"` // the new account has none: nobody can sign in yet
	DryRun     bool                            `json:"dryRun"`
	Counts     map[string]*ledger.ImportCounts `json:"counts"` // by the member of the file
	Refusals   []Refusal                       `json:"refusals"`
	Import     *wire.Import                    `json:"import"` // by which it is undone; nil if it made nothing
}

// count returns the counts of a section. Skipped are elements for information.
func (s *Summary) count(section string) *ledger.ImportCounts {
	if s.Counts[section] == nil {
		s.Counts[section] = &ledger.ImportCounts{}
	}
	return s.Counts[section]
}

// Import imports the export in file. Errors: models.Invalid with one sentence about the file, and
// those of ledger.Import. After an error the Summary says what was done before.
func (m *Importer) Import(ctx context.Context, file io.Reader, o ImportOptions) (*Summary, error) {
	i := &importer{Importer: m, ImportOptions: o, ctx: ctx, tell: func(bool) {}, summary: &Summary{
		DryRun: o.DryRun, Counts: map[string]*ledger.ImportCounts{}, Refusals: []Refusal{},
	}}
	err := read(file, visitor{account: i.account, preferences: i.preferences, record: i.record, skipped: i.skipped})
	if err == nil {
		err = i.flush()
	}
	i.tell(true)
	if err == nil {
		err = i.finish()
	}
	if err != nil {
		return i.summary, fmt.Errorf("import an account: %w", err)
	}
	return i.summary, nil
}

// An importer is one import.
type importer struct {
	*Importer
	ImportOptions
	ctx     context.Context
	summary *Summary

	user     models.User    // that is imported into
	own      bool           // the file is of this account
	foreign  string         // the currency of the file's account, if the user's is another; else ""
	fileUser string         // the id of the file's account
	to       *ledger.Import // nil in a dry run for an account that is not here yet
	made     *models.Import // what it makes, for undoing it; nil in a dry run
	tell     func(done bool)

	section string // of pending
	number  int64  // of the section's elements so far
	pending []ledger.Record
	numbers []int64 // of pending
}

// account finds or makes the account to import into.
func (i *importer) account(a account) (err error) {
	i.fileUser = a.ID
	if i.Into == "" {
		err = i.makeAccount(a)
	} else {
		i.user, err = i.Store.UserByID(i.ctx, i.Into)
	}
	if err == nil && !i.DryRun {
		err = i.track(a)
	}
	if err == nil {
		err = i.adoptSettings(a)
	}
	i.own = i.user.ID == a.ID
	i.summary.UserID, i.summary.Email = i.user.ID, i.user.Email
	if !i.summary.NewAccount || !i.DryRun {
		i.to = i.Ledger.Import(i.user.ID, ledger.ImportOptions{
			Author: i.Author, KeepIDs: i.KeepIDs, DryRun: i.DryRun, Track: i.made,
		})
	}
	return err
}

func (i *importer) makeAccount(a account) error {
	hash, err := a.storedHash()
	if err != nil {
		return err
	}
	r := ledger.AccountRecord{
		ID: a.ID, CreatedAt: a.CreatedAt.Time, Name: a.Name, Email: a.Email, PasswordHash: hash, Zone: a.TimeZone, Currency: a.Currency,
	}
	result, err := i.Ledger.ImportAccount(i.ctx, r, i.DryRun)
	switch {
	case err != nil:
		return err
	case result.Outcome == ledger.ImportRefused:
		return &accountRefusedError{result.Err}
	case result.Outcome == ledger.ImportNew:
		i.summary.NewAccount, i.summary.NoPassword = true, len(hash) == 0
	}
	if i.summary.NewAccount && i.DryRun {
		i.user = models.User{ID: result.ID, Email: r.Email, ChosenZone: a.TimeZone, ChosenCurrency: a.Currency}
		return nil
	}
	if i.user, err = i.Store.UserByID(i.ctx, result.ID); err == nil && i.user.Email != models.NormalizeEmail(a.Email) {
		return errOtherAddress
	}
	return err
}

// errOtherAddress refuses a file whose id is that of somebody else's account. Ids are seen by
// whoever shares an entry, so a file may name any.
var errOtherAddress = &accountRefusedError{models.E(models.Conflict,
	"The account with the id of this file has another e-mail address here: if it is the right one, name it with --into")}

// An accountRefusedError says why the account of a file cannot be made.
type accountRefusedError struct{ error }

func (e *accountRefusedError) Unwrap() error { return e.error }

// adoptSettings takes over the settings that the user has not chosen. The currency only while
// there is nothing that it would change.
func (i *importer) adoptSettings(a account) error {
	var p models.SettingsPatch
	if _, known := models.LoadZone(a.TimeZone); known && a.TimeZone != "" && i.user.ChosenZone == "" {
		p.Zone = &a.TimeZone
	}
	empty := i.user.ChosenCurrency == "" && i.user.Expenses == 0 && i.user.Budgets == 0
	if _, known := models.FindCurrency(a.Currency); known && empty {
		p.Currency = &a.Currency
		i.user.ChosenCurrency = a.Currency
	}
	file := models.User{ChosenCurrency: a.Currency}
	if i.user.Currency() != file.Currency() {
		i.foreign = file.Currency()
	}
	if p == (models.SettingsPatch{}) || i.DryRun {
		return nil
	}
	u, err := i.Ledger.ChangeSettings(i.ctx, i.user.ID, p, i.Author)
	if err == nil {
		i.user = u
		i.made.Changed++
	}
	return err
}

func (i *importer) preferences(p *preferences) error {
	return i.record("preferences", p.record(), nil)
}

func (i *importer) skipped(section string) {
	i.summary.count(section).Skip()
}
