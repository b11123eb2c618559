package ledger

// LimitReceived sets the maximum number of waiting invitations per user.
func (l *Ledger) LimitReceived(n int64) { l.maxReceived = n }

// SignalDelivery has RunInvitations look for invitations once more.
func (l *Ledger) SignalDelivery() { l.deliverSignal <- struct{}{} }
