package store_test

import (
	"fmt"
	"testing"
	"time"

	"expenseflow/internal/store"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

func TestRowsThatNobodySeesGrowWithoutBound(t *testing.T) {
	engines(t, func(t *testing.T, s *store.Store) {
		u, other := storetest.User(t, s), storetest.User(t, s)
		const many, most = 1_010, 1_000
		fill := func(userID string, n int) {
			write(t, s, userID, func(tx *store.Tx) {
				for i := range n {
					tx.TouchDevice(models.Author{DeviceID: fmt.Sprintf("%s's device %d", userID, i)})
					tx.InsertNotification(models.Notification{
						ID: storetest.ID(), UserID: userID,
						CreatedAt: tx.Now().Add(time.Duration(i) * time.Millisecond),
					})
				}
			})
		}
		fill(u.ID, many)
		fill(other.ID, 20)
		for n := int64(1); n > 0; {
			n = must(s.PruneCrowds(t.Context(), 7))(t)
		}
		for _, table := range []string{"devices", "notifications"} {
			same(t, table, int64(most+20), must(s.Count(t.Context(), table))(t))
		}
		same(t, "unread", int64(most), must(s.UserByID(t.Context(), u.ID))(t).Unread)
	})
}
