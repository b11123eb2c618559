package store

import (
	"slices"
	"time"

	"expenseflow/models"
)

// A Post is an expense that a plain POST made, for the case that its answer is
// lost and the device queues the same creation again (docs/contract.md#d17).
type Post struct {
	ExpenseID string `gorm:"primaryKey"`
	UserID    string `gorm:"index:posted_creates_claim,priority:2"` // RecordPost sets it
	DeviceID  string `gorm:"serializer:clientText"`
	DataHash  string `gorm:"index:posted_creates_claim,priority:1"` // of the normalised data
	// At is when it was received.
	At time.Time `gorm:"column:received_at;serializer:millis;index:posted_creates_claim,priority:3;index:posted_creates_age"`
}

// TableName implements GORM's Tabler. It is the older name of what is a Post here.
func (Post) TableName() string { return "posted_creates" }

// RecordPost notes an expense that a plain POST made.
func (tx *Tx) RecordPost(p Post) {
	p.UserID, p.At = tx.user.ID, models.Millis(p.At)
	tx.posts.Put(p.ExpenseID, p, false)
}

// ClaimPost finds the earliest unclaimed post of this device with this data
// that was received between from and to, both included, and claims it: no
// other operation gets it (docs/contract.md#d17).
func (tx *Tx) ClaimPost(deviceID, dataHash string, from, to time.Time) (expenseID string, ok bool, err error) {
	if err := tx.loadPosts([]string{dataHash}); err != nil {
		return "", false, err
	}
	var found *Post
	for _, p := range tx.posts.All() {
		fits := p.DeviceID == deviceID && p.DataHash == dataHash && !p.At.Before(from) && !p.At.After(to)
		if fits && (found == nil || p.At.Before(found.At) || (p.At.Equal(found.At) && p.ExpenseID < found.ExpenseID)) {
			found = &p
		}
	}
	if found == nil {
		return "", false, nil
	}
	tx.posts.Remove(found.ExpenseID)
	return found.ExpenseID, true, nil
}

func (tx *Tx) loadPosts(hashes []string) error {
	hashes = slices.DeleteFunc(slices.Clone(hashes), func(h string) bool { return tx.postHashes[h] })
	if len(hashes) == 0 {
		return nil
	}
	found, err := findIn[Post](tx, tx.orm().Where("user_id = ?", tx.user.ID).Where(tx.s.db.In("data_hash", hashes)))
	for _, p := range found {
		tx.posts.Load(p.ExpenseID, p, true)
	}
	for _, h := range hashes {
		tx.postHashes[h] = err == nil
	}
	return err
}
