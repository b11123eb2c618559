package store

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"expenseflow/internal/store/access"
	"expenseflow/internal/store/dialect"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/operations"
	"expenseflow/internal/store/processes"
	"expenseflow/internal/store/record"
	"expenseflow/internal/store/rows"
	"expenseflow/models"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

// A revokedToken is a token that was signed out and has not expired yet.
type revokedToken struct {
	TokenKey  string    `gorm:"primaryKey"`
	UserID    string    `gorm:"index:revoked_tokens_user"`
	ExpiresAt time.Time `gorm:"serializer:millis;index:revoked_tokens_expiry"`
}

// UserByID returns the user of this id; models.NotFound if there is none, or for the bearer of a
// token of theirs its refusal.
func (s *Store) UserByID(ctx context.Context, id string) (models.User, error) {
	u, err := find.User(s.db.Read(ctx), "id = ?", id)
	return u, goneFor(ctx, id, err)
}

// UserByEmail returns the user of this address, which is trimmed and in lower case;
// models.NotFound if there is none.
func (s *Store) UserByEmail(ctx context.Context, email string) (models.User, error) {
	return find.User(s.db.Read(ctx), "email = ?", email)
}

// CreateUser saves a new user; models.Conflict if the address is taken.
func (s *Store) CreateUser(ctx context.Context, u models.User) error {
	_, err := s.db.Write(ctx, func(db *gorm.DB) *gorm.DB { return db.Create(&u) })
	if errors.As(err, new(*dialect.DuplicateError)) {
		return &models.Error{Kind: models.Conflict, Msg: "User already exists", Err: err}
	}
	return err
}

// SetPassword stores a new hash and raises the token generation, which ends
// every token given out before, the devices that came with them are forgotten, and
// the log says so. models.NotFound if the user is gone.
func (s *Store) SetPassword(ctx context.Context, id string, hash []byte) error {
	return s.endTokens(ctx, id, map[string]any{"password_hash": hash})
}

// SignOutEverywhere is SetPassword without another password.
func (s *Store) SignOutEverywhere(ctx context.Context, id string) error {
	return s.endTokens(ctx, id, map[string]any{})
}

// endTokens ends every token of the user and sets columns of their row.
func (s *Store) endTokens(ctx context.Context, id string, columns map[string]any) error {
	return s.Write(ctx, id, func(tx *Tx) error { return tx.endTokens(columns) })
}

func (tx *Tx) endTokens(columns map[string]any) error {
	columns["token_generation"] = gorm.Expr("token_generation + 1")
	tx.Append(models.Change{Kind: models.SignedOut})
	if err := tx.run(tx.orm().Where("user_id = ?", tx.user.ID).Delete(&userDevice{})); err != nil {
		return err
	}
	return tx.run(tx.orm().Model(&models.User{}).Where("id = ?", tx.user.ID).UpdateColumns(columns))
}

// An Account is a user as operators see them.
type Account struct {
	ID, Name, Email string
	CreatedAt       time.Time `gorm:"serializer:millis"`
	Expenses        int64
	LastSyncedAt    time.Time `gorm:"serializer:zeroableTime"` // of the newest stored change; zero without one
}

// Accounts returns up to limit accounts in the order of their addresses, from the one that
// follows after on. Where match is not empty, only those whose address contains it.
func (s *Store) Accounts(ctx context.Context, after, match string, limit int) ([]Account, error) {
	query := s.db.Read(ctx).Model(&models.User{}).Where("email > ?", after)
	if match != "" {
		query = query.Where("email LIKE ? ESCAPE '!'", "%"+likeLiteral.Replace(match)+"%")
	}
	return find.All[Account](query.Select("id, name, email, created_at, expenses, last_synced_at").Order("email").Limit(limit))
}

// likeLiteral escapes what LIKE reads as a wildcard, with ! as the escape.
var likeLiteral = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

// DeleteUser is Tx.DeleteUser in a transaction of its own; models.NotFound if the user
// is gone already.
func (s *Store) DeleteUser(ctx context.Context, id string) error {
	return s.Write(ctx, id, (*Tx).DeleteUser)
}

// DeleteUser removes the user and all that is theirs, for those too with whom it was
// shared. What they were invited to is kept for whoever has their address next.
func (tx *Tx) DeleteUser() error {
	tx.deleted = true
	if err := tx.leaveAllShares(); err != nil {
		return err
	}
	if err := tx.leaveInvitations(); err != nil {
		return err
	}
	if err := tx.forgetActor(); err != nil {
		return err
	}
	for _, row := range withoutForeignKey {
		if err := tx.run(tx.orm().Where("user_id = ?", tx.user.ID).Delete(row)); err != nil {
			return err
		}
	}
	return tx.run(tx.orm().Where("id = ?", tx.user.ID).Delete(&models.User{}))
}

// forgetActor takes the user's name out of the notifications of others. They stay unread, and
// of the same expense, so no user's count changes and nobody else's row is locked.
func (tx *Tx) forgetActor() error {
	const text = "CASE type WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? ELSE '' END"
	message := gorm.Expr(text, models.NotifyInvited, models.DepartedName+" wanted to share an entry with you.",
		models.NotifyShared, models.DepartedName+" shared an entry with you.",
		models.NotifyCommented, models.DepartedName+" commented on an entry that you share.",
		models.NotifyEdited, models.DepartedName+" changed an entry that you share.")
	data := gorm.Expr("? || CASE expense_id WHEN '' THEN '' ELSE ',\"expenseId\":\"' || expense_id || '\"' END || "+
		"',\"count\":' || times || '}'", `{"userId":"","userName":"`+models.DepartedName+`"`)
	return tx.run(tx.orm().Model(&models.Notification{}).Where("actor_id = ?", tx.user.ID).
		UpdateColumns(map[string]any{"actor_id": "", "message": message, "data": data}))
}

// withoutForeignKey are the tables whose rows do not go by themselves with their user: a
// foreign key would be looked up for each row of a batch, under a lock that makes
// it hold.
var withoutForeignKey = []any{
	&models.Expense{}, &record.ChangeRow{}, &operations.Row{}, &alias{}, &access.ShareRow{}, &models.Activity{},
	&userDevice{}, &processes.KeptRooms{}, &access.InvitationRow{}, &contact{}, &models.ImportedRow{},
}

// RevokeToken refuses a token until it has expired by itself, and writes that into
// the log. Revoking twice is no error; models.NotFound if the user is gone.
func (s *Store) RevokeToken(ctx context.Context, tokenKey, userID string, until time.Time) error {
	return s.Write(ctx, userID, func(tx *Tx) error { return tx.revoke(tokenKey, until) })
}

// revoke refuses a token and writes it into the log, for the processes that have
// sockets of it.
func (tx *Tx) revoke(key string, until time.Time) error {
	tx.user.Revocations++
	tx.Append(models.Change{Kind: models.SignedOut, EntityID: key})
	return tx.run(tx.orm().Clauses(clause.OnConflict{DoNothing: true}).Create(&revokedToken{key, tx.user.ID, until}))
}

// A bearer is a user together with whether one of their tokens was signed out.
type bearer struct {
	models.User `gorm:"embedded"`
	Revoked     int64 // 1 or 0
	RowVersion  string
	KeptRooms   string
}

// BearerOf returns the user of this id, and whether RevokeToken was called for the token of
// this key, both as of one moment; models.NotFound if the user is gone. It is one statement,
// since every request and every socket begins with it. If ctx has a page (models.WithPage),
// it reads the rooms of the page too.
func (s *Store) BearerOf(ctx context.Context, userID, tokenKey string) (u models.User, revoked bool, err error) {
	if !utf8.ValidString(tokenKey) || strings.Contains(tokenKey, "\x00") {
		tokenKey = "" // PostgreSQL stores no such text, so it was not signed out either
	}
	columns, args := rows.Of(models.User{}).Names()+
		", CASE WHEN EXISTS (SELECT 1 FROM revoked_tokens WHERE token_key = ?) THEN 1 ELSE 0 END AS revoked, "+
		s.db.RowVersion()+" AS row_version", []any{tokenKey}
	page := models.PageFrom(ctx)
	if page != "" {
		columns, args = columns+processes.KeptRoomsOfPage, append(args, page)
	}
	row, err := find.One[bearer](s.db.Read(ctx).Model(&models.User{}).Select(columns, args...).Where("id = ?", userID))
	row.User.RowVersion = row.RowVersion
	if err == nil && page != "" {
		row.User.KeptRooms, err = processes.FreshRooms(row.KeptRooms, s.opts.Now())
	}
	return row.User, row.Revoked != 0, find.NoUser(err)
}
