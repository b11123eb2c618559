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

// noteMove inserts a processes.MovedRow. It is a part of the statement that updates the user's row.
const noteMove = "INSERT INTO moved (user_id) SELECT $1"
