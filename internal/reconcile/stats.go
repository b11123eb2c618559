package reconcile

import (
	"slices"
	"sync/atomic"

	"expenseflow/models"
)

// Outcomes are what becomes of the operations of batches and deltas, as Stats counts them: the
// statuses of results, a conflict of a delta, and "replayed" for the stored result of an
// operation that arrived again.
var Outcomes = []string{
	string(models.StatusCreated), string(models.StatusUpdated), string(models.StatusDeleted), string(models.StatusNotFound),
	string(models.StatusDuplicate), string(models.StatusParked), string(models.StatusRejected), outcomeConflict, outcomeReplayed,
}

const (
	outcomeConflict = "conflict"
	outcomeReplayed = "replayed"
)

// outcomeCounts count by Outcomes.
type outcomeCounts [9]atomic.Int64

func (c *outcomeCounts) add(outcome string) {
	if i := slices.Index(Outcomes, outcome); i >= 0 {
		c[i].Add(1)
	}
}

// Stats returns how many operations had each of Outcomes since the start, in their order.
// Those of batches and deltas that were not applied because of a server error are not counted.
func (r *Reconciler) Stats() []int64 {
	counted := make([]int64, len(Outcomes))
	for i := range counted {
		counted[i] = r.counts[i].Load()
	}
	return counted
}

func (it *batchItem) outcome() string {
	if it.replayed {
		return outcomeReplayed
	}
	return string(it.result.Status)
}

func (d *deltaItem) outcome() string {
	switch {
	case d.replayed:
		return outcomeReplayed
	case d.result.Current != nil:
		return outcomeConflict
	case d.result.Error != "":
		return string(models.StatusRejected)
	}
	return string(doneStatus[d.op.Action])
}
