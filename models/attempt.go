package models

import "context"

// An Attempt is a request that tries a password or an e-mail address, with the limits
// on wrong guesses. The code that checks the password calls Admit before and
// RecordFailure after it, so requests that run concurrently get no more guesses than
// sequential ones. The zero Attempt has no limits.
type Attempt struct {
	// From is the client's network address.
	From string

	// Admit returns an error if From, or the clients that tried this account, made too
	// many wrong guesses; nil admits all. account is any stable name of the account,
	// "" for none.
	Admit func(account string) error

	// RecordFailure counts a wrong guess; nil counts nothing.
	RecordFailure func(account string)
}

type attemptKey struct{}

// WithAttempt returns a copy of ctx that carries a.
func WithAttempt(ctx context.Context, a Attempt) context.Context {
	return context.WithValue(ctx, attemptKey{}, a)
}

// AttemptFrom returns the attempt that ctx carries. Its functions are never nil.
func AttemptFrom(ctx context.Context) Attempt {
	a, _ := ctx.Value(attemptKey{}).(Attempt)
	if a.Admit == nil {
		a.Admit = func(string) error { return nil }
	}
	if a.RecordFailure == nil {
		a.RecordFailure = func(string) {}
	}
	return a
}
