package pipeline

import (
	"iter"
	"maps"
	"slices"
)

// A WriteBuffer holds what a transaction knows of one table's rows: those it read, and those
// it changed and has not written yet. Reads look here first.
type WriteBuffer[K comparable, R any] struct {
	entries map[K]entry[R]
	dirty   []K // in the order of their first change since the last flush
	undo    *UndoLog
}

type entry[R any] struct {
	row    R
	exists bool // as the transaction sees it
	stored bool // as the database has it
	dirty  bool
}

// NewWriteBuffer returns an empty buffer, whose changes undo remembers.
func NewWriteBuffer[K comparable, R any](undo *UndoLog) *WriteBuffer[K, R] {
	return &WriteBuffer[K, R]{entries: map[K]entry[R]{}, undo: undo}
}

// Get returns what is known of k: the row, whether it exists, whether anything is known at
// all.
func (b *WriteBuffer[K, R]) Get(k K) (row R, exists, known bool) {
	e, known := b.entries[k]
	return e.row, e.exists, known
}

// Unknown returns those of keys of which nothing is known and that may exist at all.
func (b *WriteBuffer[K, R]) Unknown(keys []K, valid func(K) bool) []K {
	return slices.DeleteFunc(slices.Clone(keys), func(k K) bool {
		_, known := b.entries[k]
		return known || !valid(k)
	})
}

// All returns the rows that exist, as far as they are known.
func (b *WriteBuffer[K, R]) All() iter.Seq2[K, R] {
	return func(yield func(K, R) bool) {
		for k, e := range b.entries {
			if e.exists && !yield(k, e.row) {
				return
			}
		}
	}
}

// Load notes what the database holds; what the transaction changed stays.
func (b *WriteBuffer[K, R]) Load(k K, row R, exists bool) {
	if _, known := b.entries[k]; !known {
		b.entries[k] = entry[R]{row: row, exists: exists, stored: exists}
	}
}

// LoadAbsent notes that those of keys of which nothing is known do not exist.
func (b *WriteBuffer[K, R]) LoadAbsent(keys []K) {
	var none R
	for _, k := range keys {
		b.Load(k, none, false)
	}
}

// Rewrite changes every row that is known, as a statement does that the database runs for all
// rows. What is read after it is forgotten with it, if it is undone.
func (b *WriteBuffer[K, R]) Rewrite(change func(R) R) {
	before := maps.Clone(b.entries)
	b.undo.add(func() { b.entries = before })
	for k, e := range b.entries {
		if e.exists {
			e.row = change(e.row)
			b.entries[k] = e
		}
	}
}

// Put changes or makes the row of k. stored says whether the database has it already, for a
// k of which nothing is known.
func (b *WriteBuffer[K, R]) Put(k K, row R, stored bool) {
	b.set(k, entry[R]{row: row, exists: true}, stored)
}

// Remove deletes the row of k, which the database has if nothing is known of it.
func (b *WriteBuffer[K, R]) Remove(k K) { b.set(k, entry[R]{}, true) }

func (b *WriteBuffer[K, R]) set(k K, e entry[R], stored bool) {
	old, known := b.entries[k]
	b.undo.add(func() { b.restore(k, old, known) })
	if known {
		stored = old.stored
	}
	e.stored, e.dirty = stored, true
	if !old.dirty {
		b.dirty = append(b.dirty, k)
	}
	b.entries[k] = e
}

func (b *WriteBuffer[K, R]) restore(k K, old entry[R], known bool) {
	if known {
		b.entries[k] = old
	} else {
		delete(b.entries, k)
	}
}

// Flushed is what has to be written: the rows to insert and to overwrite, and the
// keys of those to delete.
type Flushed[K comparable, R any] struct {
	Inserts, Updates []R
	Deletes          []K
}

// Flush returns what changed since the last flush and takes it for stored.
func (b *WriteBuffer[K, R]) Flush() (f Flushed[K, R]) {
	for _, k := range b.dirty {
		e := b.entries[k]
		switch {
		case !e.dirty: // undone, and perhaps unknown again
			continue
		case e.exists && !e.stored:
			f.Inserts = b.append(f.Inserts, e.row)
		case e.exists:
			f.Updates = b.append(f.Updates, e.row)
		case e.stored:
			f.Deletes = append(f.Deletes, k)
		}
		e.stored, e.dirty = e.exists, false
		b.entries[k] = e
	}
	b.dirty = b.dirty[:0]
	return f
}

// append makes room for all changed rows at once.
func (b *WriteBuffer[K, R]) append(rows []R, row R) []R {
	if rows == nil {
		rows = make([]R, 0, len(b.dirty))
	}
	return append(rows, row)
}

// An UndoLog remembers how to undo what happened since a mark. Outside attempts
// nothing is remembered, for a failure there undoes the whole transaction.
type UndoLog struct {
	depth int
	undo  []func()
}

// Depth is how many attempts are under way, one inside the other.
func (l *UndoLog) Depth() int { return l.depth }

func (l *UndoLog) add(undo func()) {
	if l.depth > 0 {
		l.undo = append(l.undo, undo)
	}
}

// Begin begins an attempt and returns its mark.
func (l *UndoLog) Begin() (mark int) {
	l.depth++
	return len(l.undo)
}

// Keep ends an attempt and keeps what it did.
func (l *UndoLog) Keep() { l.end() }

// Undo ends an attempt and undoes, newest first, what happened since its mark.
func (l *UndoLog) Undo(mark int) {
	for i := len(l.undo) - 1; i >= mark; i-- {
		l.undo[i]()
	}
	l.undo = l.undo[:mark]
	l.end()
}

func (l *UndoLog) end() {
	if l.depth--; l.depth == 0 {
		l.undo = nil
	}
}
