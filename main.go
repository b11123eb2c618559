// Expenseflow is a real-time sync server for the ExpenseFlow frontend.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"expenseflow/internal/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	command := app.Command{
		Args: os.Args[1:], Environ: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	os.Exit(command.Run(ctx))
}
