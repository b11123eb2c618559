package changes

import "context"

// Step serves the user who has waited longest, as one worker of Run does, and
// tells whether there was one. It is for those who drive a Tail by a clock and in
// an order of their own, instead of Run; a pause after trouble is theirs to make.
func (t *Tail[E]) Step(ctx context.Context) bool {
	f := t.next()
	if f == nil {
		return false
	}
	err := t.serve(ctx, f)
	t.done(f)
	if ctx.Err() == nil {
		t.note(ctx, f, err)
	}
	return true
}

// Poll looks at the heads of all logs that have subscribers once, as Run does all
// Options.Poll.
func (t *Tail[E]) Poll(ctx context.Context) error { return t.compare(ctx) }
