package ledger

import (
	"context"
	"fmt"

	"expenseflow/models"
)

// ChangeSettings changes the account's settings of p and returns the updated user. It is
// idempotent.
//
// A new zone does not change stored days, a new currency does not change entries. Totals
// and budgets use the new settings from then on; the change itself raises no alerts. A new
// name is shown to others as soon as they read it again.
//
// Errors: *models.InvalidError, and those of store.Write.
func (l *Ledger) ChangeSettings(
	ctx context.Context, userID string, p models.SettingsPatch, by models.Author,
) (models.User, error) {
	if err := models.InvalidIf(p.Check()); err != nil {
		return models.User{}, err
	}
	var u models.User
	err := l.Write(ctx, userID, func(w *Work) (err error) {
		err = w.changeSettings(p, by)
		u = w.Tx.User()
		return err
	})
	if err != nil {
		return models.User{}, fmt.Errorf("change settings: %w", err)
	}
	return u, nil
}

// InitZone sets the account's zone to the one that a client reports, unless the account
// has one. Unknown zones are ignored. Errors are those of store.Write.
func (l *Ledger) InitZone(ctx context.Context, userID, name string, by models.Author) error {
	if _, known := models.LoadZone(name); !known {
		return nil
	}
	err := l.Write(ctx, userID, func(w *Work) error {
		if u := w.Tx.User(); u.ChosenZone != "" {
			return nil
		}
		return w.changeSettings(models.SettingsPatch{Zone: &name}, by)
	})
	if err != nil {
		return fmt.Errorf("name a zone: %w", err)
	}
	return nil
}

func (w *Work) changeSettings(p models.SettingsPatch, by models.Author) error {
	before := w.Tx.User()
	if p.Zone != nil && *p.Zone != before.ChosenZone {
		if err := w.Tx.SetZone(*p.Zone); err != nil {
			return err
		}
	}
	if p.Currency != nil && *p.Currency != before.ChosenCurrency {
		if err := w.Tx.SetCurrency(*p.Currency); err != nil {
			return err
		}
	}
	if p.Name != nil && *p.Name != before.Name {
		if err := w.Tx.SetName(*p.Name); err != nil {
			return err
		}
	}
	after := w.Tx.User()
	if now := after.Settings(); now != before.Settings() {
		w.Tx.Append(models.Change{Kind: models.SettingsChanged, Settings: &now, Author: by})
		w.Tx.TouchDevice(by)
	}
	return nil
}
