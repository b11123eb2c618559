package store

// An overlay is what a transaction knows of one table's rows: those it read,
// and those it changed and has not yet written. Reads look here first.
type overlay[K comparable, R any] struct {
	entries map[K]entry[R]
	dirty   []K // in the order of their first change since the last flush
	journal *journal
}

type entry[R any] struct {
	row    R
	exists bool // as the transaction sees it
	stored bool // as the database has it
	dirty  bool
}

func newOverlay[K comparable, R any](j *journal) *overlay[K, R] {
	return &overlay[K, R]{entries: map[K]entry[R]{}, journal: j}
}

// get tells what is known of k: the row, whether it exists, whether anything is
// known at all.
func (o *overlay[K, R]) get(k K) (row R, exists, known bool) {
	e, known := o.entries[k]
	return e.row, e.exists, known
}

// load notes what the database holds; what the transaction changed stays.
func (o *overlay[K, R]) load(k K, row R, exists bool) {
	if _, known := o.entries[k]; !known {
		o.entries[k] = entry[R]{row: row, exists: exists, stored: exists}
	}
}

// put changes or makes the row of k. stored tells whether the database has it
// already, for a k of which nothing is known.
func (o *overlay[K, R]) put(k K, row R, stored bool) {
	o.set(k, entry[R]{row: row, exists: true}, stored)
}

// remove deletes the row of k, which the database has if nothing is known of it.
func (o *overlay[K, R]) remove(k K) { o.set(k, entry[R]{}, true) }

func (o *overlay[K, R]) set(k K, e entry[R], stored bool) {
	old, known := o.entries[k]
	o.journal.add(func() { o.restore(k, old, known) })
	if known {
		stored = old.stored
	}
	e.stored, e.dirty = stored, true
	if !old.dirty {
		o.dirty = append(o.dirty, k)
	}
	o.entries[k] = e
}

func (o *overlay[K, R]) restore(k K, old entry[R], known bool) {
	if known {
		o.entries[k] = old
	} else {
		delete(o.entries, k)
	}
}

// A flushed is what the database has to be told: the keys whose rows are to be
// inserted, overwritten and deleted.
type flushed[K comparable] struct{ inserts, updates, deletes []K }

// flush gives what changed since the last flush and takes it for stored.
func (o *overlay[K, R]) flush() (f flushed[K]) {
	for _, k := range o.dirty {
		e := o.entries[k]
		switch {
		case !e.dirty: // undone, and perhaps unknown again
			continue
		case e.exists && !e.stored:
			f.inserts = append(f.inserts, k)
		case e.exists:
			f.updates = append(f.updates, k)
		case e.stored:
			f.deletes = append(f.deletes, k)
		}
		e.stored, e.dirty = e.exists, false
		o.entries[k] = e
	}
	o.dirty = o.dirty[:0]
	return f
}

// rows are the rows of keys.
func (o *overlay[K, R]) rows(keys []K) []R {
	rows := make([]R, len(keys))
	for i, k := range keys {
		rows[i] = o.entries[k].row
	}
	return rows
}

// A journal remembers how to undo what happened since a mark. Outside attempts
// nothing is remembered, for a failure there undoes the whole transaction.
type journal struct {
	depth int
	undo  []func()
}

func (j *journal) add(undo func()) {
	if j.depth > 0 {
		j.undo = append(j.undo, undo)
	}
}

// back undoes, newest first, what happened since the journal had n entries.
func (j *journal) back(n int) {
	for i := len(j.undo) - 1; i >= n; i-- {
		j.undo[i]()
	}
	j.undo = j.undo[:n]
}
