// Package commithook lets a simulation be asked before a transaction commits. Only a
// copy of the store's files that package overlay has patched asks.
package commithook

import "context"

type key struct{}

// With returns a context in which hook is asked when a transaction has done all but
// commit. Its error, or its panic, takes everything back.
func With(ctx context.Context, hook func() error) context.Context {
	return context.WithValue(ctx, key{}, hook)
}

// Ask asks the hook of the context, if it has one and the transaction has not failed.
func Ask(ctx context.Context, err error) error {
	hook, ok := ctx.Value(key{}).(func() error)
	if err != nil || !ok {
		return err
	}
	return hook()
}
