// Package pipeline orders the writers of a database and holds what a transaction is about to
// write.
//
// Two invariants: Write returns success only after the commit that holds its work, and
// work that fails takes nothing of its neighbours with it (CommitQueue).
package pipeline
