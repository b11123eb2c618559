package store

// movesLog reports whether the transaction has something to tell those who follow the user's log.
func (tx *Tx) movesLog() bool { return tx.deleted || tx.user.Seq != tx.before.Seq }

// movedUsers are those whose logs the transaction has moved.
func (st *txState) movedUsers() (ids []string) {
	for _, tx := range st.txs {
		if tx.movesLog() {
			ids = append(ids, tx.user.ID)
		}
	}
	return ids
}

// noteMove goes before the UPDATE of a user's row, and inserts a processes.MovedRow: a statement of its
// own would be another round trip under the user's lock.
const noteMove = "WITH noted AS (INSERT INTO moved (user_id) VALUES (?)) "
