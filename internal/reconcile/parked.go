package reconcile

import "expenseflow/models"

// What may wait for one user's decision at a time. Whoever has more than a thousand
// does not decide about them one by one; the bytes are those that clients sent.
const (
	MaxParked      = 1000
	MaxParkedBytes = 10 << 20
)

const textParkedFull = "Too many operations wait for a decision already: retry or discard some of them first"

// A parkedUse is how much is parked.
type parkedUse struct{ rows, bytes int64 }

func (u *parkedUse) add(q *models.QueuedOperation) {
	u.rows++
	u.bytes += q.Size()
}

// parks reports whether there is room for q among the user's parked operations, and
// counts it there.
func (s *session) parks(q models.QueuedOperation) (bool, error) {
	if s.before == nil { // before any of this transaction is written
		rows, bytes, err := s.Tx.Parked()
		if err != nil {
			return false, err
		}
		s.before = &parkedUse{rows, bytes}
	}
	use := *s.before
	for i := range s.parked {
		use.add(&s.parked[i])
	}
	if use.add(&q); use.rows > MaxParked || use.bytes > MaxParkedBytes {
		s.full = true
		return false, nil
	}
	s.parked = append(s.parked, q)
	return true, nil
}

// parkedFull tells a user's devices that nothing more can be parked.
func parkedFull(userID string) models.QueuedOperation {
	return models.QueuedOperation{UserID: userID, Result: models.Result{
		Status: models.StatusRejected, Error: textParkedFull, Code: models.CodeParkedFull,
	}}
}
