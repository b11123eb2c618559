package ledger

// An ImportCounts counts records of one kind by what became of them. Read is the sum of the others.
type ImportCounts struct {
	Read    int64 `json:"read"`
	New     int64 `json:"new"`
	Same    int64 `json:"same"`
	Changed int64 `json:"changed"`
	Kept    int64 `json:"kept"` // what is here is newer
	Refused int64 `json:"refused"`
	Skipped int64 `json:"skipped"` // not for importing
}

// Add counts a record. An outcome that this version does not know counts as refused.
func (c *ImportCounts) Add(o ImportOutcome) {
	c.Read++
	switch o {
	case ImportNew:
		c.New++
	case ImportSame:
		c.Same++
	case ImportChanged:
		c.Changed++
	case ImportKept:
		c.Kept++
	default:
		c.Refused++
	}
}

// Skip counts a record that is not for importing.
func (c *ImportCounts) Skip() {
	c.Read++
	c.Skipped++
}
