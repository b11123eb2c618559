package models

import (
	"context"
	"sync/atomic"
)

type pageKey struct{}

// WithPage returns a copy of ctx for the connection of a page that may come back: key names
// its private session id. The rooms that it had joined are read together with its user.
func WithPage(ctx context.Context, key string) context.Context {
	return context.WithValue(ctx, pageKey{}, key)
}

// PageFrom returns the key of WithPage; "" if there is none.
func PageFrom(ctx context.Context) string {
	key, _ := ctx.Value(pageKey{}).(string)
	return key
}

// A readCaller is the user of a request as its authentication read them.
type readCaller struct {
	user  User
	taken atomic.Bool
}

type readCallerKey struct{}

// WithReadCaller returns a copy of ctx with its caller as they were just read, for the first
// change that the caller makes: unless the row was changed meanwhile, it need not be read again.
func WithReadCaller(ctx context.Context, u User) context.Context {
	return context.WithValue(ctx, readCallerKey{}, &readCaller{user: u})
}

// TakeReadCaller returns the user of WithReadCaller if it is the one of this id, once: a
// second change would find the row changed by the first.
func TakeReadCaller(ctx context.Context, id string) (User, bool) {
	c, ok := ctx.Value(readCallerKey{}).(*readCaller)
	if !ok || c.user.ID != id || c.taken.Swap(true) {
		return User{}, false
	}
	return c.user, true
}
