package record

import (
	"fmt"
	"time"

	"expenseflow/models"
)

// A ChangeRow is one entry of a user's log.
type ChangeRow struct {
	UserID   string `gorm:"primaryKey;index:changes_entity,priority:1"`
	Seq      int64  `gorm:"primaryKey;index:changes_entity,priority:3"`
	Kind     models.ChangeKind
	EntityID string    `gorm:"index:changes_entity,priority:2"`
	Payload  string    // the record of the entity after the change
	DeviceID string    `gorm:"serializer:clientText"`
	TokenID  string    `gorm:"serializer:clientText"`
	At       time.Time `gorm:"serializer:millis"`
	ActorID  string    // as in models.Change
}

// TableName implements GORM's Tabler.
func (ChangeRow) TableName() string { return "changes" }

// NewChangeRow returns the row of a change.
func NewChangeRow(c *models.Change) ChangeRow {
	row := ChangeRow{c.UserID, c.Seq, c.Kind, c.EntityID, "", c.Author.DeviceID, c.Author.TokenID, c.At, c.ActorID}
	if c.Kind == models.BudgetAlerted {
		row.Payload = Encode(newAlertRecord(c.Alert))
	} else if entity := entityOf(c); entity != nil {
		row.Payload = Encode(entity)
	}
	return row
}

// Change returns the change of the row.
func (r *ChangeRow) Change() (models.Change, error) {
	c := models.Change{
		UserID: r.UserID, Seq: r.Seq, Kind: r.Kind, EntityID: r.EntityID, At: r.At,
		Author: models.Author{DeviceID: r.DeviceID, TokenID: r.TokenID}, ActorID: r.ActorID,
	}
	if err := r.decode(&c); err != nil {
		return c, fmt.Errorf("change %d of user %s: %w", r.Seq, r.UserID, err)
	}
	return c, nil
}

// decode sets c's entity. Of a kind that a newer program wrote there is none.
func (r *ChangeRow) decode(c *models.Change) error {
	if c.Kind == models.BudgetAlerted {
		var a alertRecord
		err := Decode([]byte(r.Payload), &a)
		c.Alert = a.alert()
		return err
	}
	entity := entityOf(c)
	if entity == nil {
		return nil
	}
	if err := Decode([]byte(r.Payload), entity); err != nil {
		return err
	}
	nameEntity(c)
	return nil
}

// entityOf returns where a change of its kind holds its entity; nil if it has none.
func entityOf(c *models.Change) any {
	switch c.Kind {
	case models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted:
		return &c.Expense
	case models.ShareChanged:
		return &c.Shares
	case models.InvitationReceived:
		return &c.Invitation
	case models.PersonBlocked, models.PersonUnblocked:
		return &c.Person
	case models.SettingsChanged:
		return &c.Settings
	case models.BudgetCreated, models.BudgetUpdated, models.BudgetDeleted:
		return &c.Budget
	case models.NotificationCreated:
		return &c.Notification
	}
	return nil
}

// nameEntity sets what the record of an entity leaves to its change.
func nameEntity(c *models.Change) {
	for i := range c.Shares {
		c.Shares[i].ExpenseID = c.EntityID
	}
	if c.Invitation != nil {
		c.Invitation.ID, c.Invitation.State = c.EntityID, models.InvitationPending
	}
	if c.Person != nil {
		c.Person.ID = c.EntityID
	}
}

// An alertRecord is what the log keeps of a models.BudgetAlert.
type alertRecord struct {
	Budget      models.Budget `log:"budget"`
	From        time.Time     `log:"from"` // this and To: midnight UTC of a day
	To          time.Time     `log:"to"`
	Currency    string        `log:"currency,omitempty"` // "": older than currencies
	SpentUnits  int64         `log:"units"`
	SpentMicros int64         `log:"micros"`
	Level       models.Level  `log:"level"`
}

func newAlertRecord(a *models.BudgetAlert) alertRecord {
	s := &a.State
	return alertRecord{s.Budget, s.From.Time(), s.To.Time(), s.Currency, s.Spent.Units, s.Spent.Micros, s.Level}
}

// alert returns the alert; a budget that alerts is active.
func (r *alertRecord) alert() *models.BudgetAlert {
	return &models.BudgetAlert{State: models.BudgetState{
		Budget: r.Budget, From: models.DayOf(r.From, time.UTC), To: models.DayOf(r.To, time.UTC), Currency: r.Currency,
		Spent: models.Sum{Units: r.SpentUnits, Micros: r.SpentMicros}, Level: r.Level, Active: true,
	}}
}
