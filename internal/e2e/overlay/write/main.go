// Command write writes the overlay of package overlay into a folder and prints the
// path that go build -overlay and go test -overlay want:
//
//	go build -overlay "$(go run ./internal/e2e/overlay/write /tmp/patched)" .
package main

import (
	"fmt"
	"os"

	"expenseflow/internal/e2e/overlay"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: write FOLDER")
		os.Exit(2)
	}
	list, err := overlay.Write(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "write:", err)
		os.Exit(1)
	}
	fmt.Println(list)
}
