package seededbug

import "sync"

// What bugs wrongly remember.
var (
	mu      sync.Mutex
	highest int64
	first   string
	kept    map[string]any
)

// Highest returns the highest number that it was ever given.
func Highest(n int64) int64 {
	mu.Lock()
	defer mu.Unlock()
	highest = max(highest, n)
	return highest
}

// First returns the text that it was given first.
func First(s string) string {
	mu.Lock()
	defer mu.Unlock()
	if first == "" {
		first = s
	}
	return first
}

// Remember keeps v under a key.
func Remember(key string, v any) {
	mu.Lock()
	defer mu.Unlock()
	if kept == nil {
		kept = map[string]any{}
	}
	kept[key] = v
}

// Recall returns what is kept under a key, otherwise if that is nothing.
func Recall[T any](key string, otherwise T) T {
	mu.Lock()
	defer mu.Unlock()
	if v, ok := kept[key].(T); ok {
		return v
	}
	return otherwise
}

// Append keeps v behind others under a key.
func Append[T any](key string, v T) { Remember(key, append(Recall[[]T](key, nil), v)) }

// After returns at most limit of the values under a key, without the first n.
func After[T any](key string, n int64, limit int) []T {
	all := Recall[[]T](key, nil)
	from := min(int(n), len(all))
	return all[from:min(from+limit, len(all))]
}

// Once returns v, unless err: then what it was given under the key before.
func Once[T any](key string, v T, err error) (T, error) {
	if err == nil {
		Remember(key, v)
		return v, nil
	}
	mu.Lock()
	_, known := kept[key].(T)
	mu.Unlock()
	if known {
		err = nil
	}
	return Recall(key, v), err
}
