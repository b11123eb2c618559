package changes

import "context"

// Step serves the feed that has waited longest, as one worker of Run does, and
// reports whether there was one. It is for tests that drive a Tail by a clock and in
// an order of their own, instead of Run; a pause after trouble is theirs to make.
// internal/e2e/overlay gives it to the simulation too.
func (t *Tail[E]) Step(ctx context.Context) bool { return t.serveNext(ctx) }

// Poll looks once for logs that have moved, as Run does every Options.Poll.
func (t *Tail[E]) Poll(ctx context.Context) error { return t.pollOnce(ctx) }
