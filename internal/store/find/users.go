package find

import (
	"errors"

	"expenseflow/internal/store/dialect"
	"expenseflow/models"

	"gorm.io/gorm"
)

// ErrUserGone is the error for a user that is not, or no longer, there; models.NotFound.
var ErrUserGone error = models.E(models.NotFound, "User not found")

// NoUser is err of a search for a user: one that finds nothing, or that asks for
// what cannot be stored, finds no user.
func NoUser(err error) error {
	if IsNotFound(err) || errors.As(err, new(*dialect.DataError)) {
		return ErrUserGone
	}
	return err
}

// User returns the user of whom a condition with one parameter is true; ErrUserGone for none.
func User(db *gorm.DB, condition, value string) (models.User, error) {
	u, err := One[models.User](db.Where(condition, value))
	return u, NoUser(err)
}

// OfUser reads columns of a user's row into a T, which has fields of their names.
func OfUser[T any](db *gorm.DB, userID string, columns string) (T, error) {
	row, err := One[T](db.Model(&models.User{}).Select(columns).Where("id = ?", userID))
	return row, NoUser(err)
}
