package store

import (
	"context"

	"expenseflow/models"
)

// DescriptionUses are the descriptions and categories of the user's own newest
// entries by date, models.SuggestionEntries of them: however many there are in all,
// no more are read, along the index of dates.
func (s *Store) DescriptionUses(ctx context.Context, userID string) ([]models.DescriptionUse, error) {
	const query = "SELECT description, category, COUNT(*) FROM (" +
		"SELECT description, category FROM expenses WHERE user_id = ? ORDER BY date DESC, id DESC LIMIT ?" +
		") newest GROUP BY description, category ORDER BY description, category"
	uses := []models.DescriptionUse{}
	err := s.rows(ctx, s.r, query, []any{userID, models.SuggestionEntries}, func(row scanner) error {
		var u models.DescriptionUse
		err := row.Scan(&u.Description, &u.Category, &u.Count)
		uses = append(uses, u)
		return err
	})
	return uses, err
}
