package account

// EndSnapshot ends a view's snapshot as for a caller who held it up for too long.
func (v *View) EndSnapshot() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.endSnapshot()
}
