package reconcile

import "expenseflow/models"

// Limits of the parked operations of one user.
const (
	MaxParked      = models.MaxParked
	MaxParkedBytes = models.MaxParkedBytes
)

const textParkedFull = "Too many operations wait for a decision already: retry or discard some of them first"

// A parkedUse is the number and size of parked operations.
type parkedUse struct{ rows, bytes int64 }

func (u *parkedUse) add(q *models.QueuedOperation) {
	u.rows++
	u.bytes += q.Size()
}

// reserveParked reports whether q can be parked within the limits, and counts it if so.
func (s *txScope) reserveParked(q models.QueuedOperation) (bool, error) {
	if s.before == nil { // nothing of this transaction is written yet
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

// parkedFullNotice returns the notice to a user's devices that the limit of parked
// operations is reached.
func parkedFullNotice(userID string) models.QueuedOperation {
	return models.QueuedOperation{UserID: userID, Result: models.Result{
		Status: models.StatusRejected, Error: textParkedFull, Code: models.CodeParkedFull,
	}}
}
