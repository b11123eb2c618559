package models

import "fmt"

// Counted returns a number with a noun whose plural ends in s, for a sentence: "1 account", "2 accounts".
func Counted[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
