//go:build !failpoints

package failpoint

import "net/http"

// Here is a place at which the process may die.
func Here(Point) {}

// If is Here where the condition holds.
func If(bool, Point) {}

// After is Here, but last runs before the process dies, and only then.
func After(Point, func()) {}

// Answers gives a handler that may die behind its answers (AfterAnswer).
func Answers(h http.Handler) http.Handler { return h }
