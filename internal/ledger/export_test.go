package ledger

// LimitReceived has as few invitations wait for one user as a test can make.
func (l *Ledger) LimitReceived(n int64) { l.maxReceived = n }
