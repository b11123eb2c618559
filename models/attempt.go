package models

import "context"

// An Attempt is a request that tries a password or an address. Whoever finds out how
// it went tells it, where it happens: many that are under way at once get no further
// than one after the other. The zero Attempt is bounded by nothing.
type Attempt struct {
	// From is who tries: a network address.
	From string

	// Admit refuses when From, or whoever tries at this account, was wrong too often;
	// nil admits. account is any name of the account, "" for none.
	Admit func(account string) error

	// Wrong counts a wrong guess; nil counts none.
	Wrong func(account string)
}

type attemptKey struct{}

// WithAttempt gives a context that carries a.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// AttemptFrom is the attempt that ctx carries, with functions that are never nil.
func AttemptFrom(ctx context.Context) Attempt {
	a, _ := ctx.Value(attemptKey{}).(Attempt)
	if a.Admit == nil {
		a.Admit = func(string) error { return nil }
	}
	if a.Wrong == nil {
		a.Wrong = func(string) {}
	}
	return a
}
