package ledger

import "expenseflow/models"

// ErrParkedFull is why an operation is not parked: the user has as many as the limits allow.
var ErrParkedFull = &models.Error{
	Kind: models.Conflict, Code: models.CodeParkedFull, Setting: models.FixedLimit,
	Msg: "Too many operations wait for a decision already: retry or discard some of them first",
}

// A ParkedUse is how many operations of a user are parked, and their size
// (models.QueuedOperation.Size).
type ParkedUse struct{ Rows, Bytes int64 }

// Add counts one more operation and reports whether it is within the limits of a user. One that
// is not is not counted.
func (u *ParkedUse) Add(q *models.QueuedOperation) bool {
	rows, bytes := u.Rows+1, u.Bytes+q.Size()
	if rows > models.MaxParked || bytes > models.MaxParkedBytes {
		return false
	}
	u.Rows, u.Bytes = rows, bytes
	return true
}

// A parking is what a transaction parks.
type parking struct {
	use  ParkedUse // with that of earlier transactions
	read bool      // whether use is known
	ops  []models.QueuedOperation
	full bool // whether an operation was refused by the limits
}

// Park stores a new operation as parked: it waits until the user retries or discards it. Every
// way in parks by it, and the caller tells the user's devices after the commit (Parked). Errors:
// ErrParkedFull, after which nothing is stored, and those of the store.
func (w *Work) Park(q models.QueuedOperation) error {
	if !w.parking.read { // nothing that this transaction parks is written yet
		rows, bytes, err := w.Tx.Parked()
		if err != nil {
			return err
		}
		w.parking.use, w.parking.read = ParkedUse{rows, bytes}, true
	}
	if !w.parking.use.Add(&q) {
		w.parking.full = true
		return ErrParkedFull
	}
	q.State = models.Parked
	w.parking.ops = append(w.parking.ops, q)
	w.Tx.InsertOperation(q)
	return nil
}

// Parked returns the operations that the transaction has parked, and whether one was refused by
// the limits.
func (w *Work) Parked() (ops []models.QueuedOperation, full bool) {
	return w.parking.ops, w.parking.full
}

// Attempt runs fn in a savepoint: an error or a panic of fn undoes only what fn did, what it
// parked included.
func (w *Work) Attempt(fn func() error) error {
	before, kept := w.parking, false
	defer func() {
		if !kept {
			w.parking = before
		}
	}()
	err := w.Tx.Attempt(fn)
	kept = err == nil
	return err
}

// ParkedFullNotice returns what tells a user's devices that nothing more can be parked: an
// operation without an ID.
func ParkedFullNotice(userID string) models.QueuedOperation {
	return models.QueuedOperation{UserID: userID, Result: models.Result{
		Status: models.StatusRejected, Error: ErrParkedFull.Msg, Code: models.CodeParkedFull,
	}}
}
