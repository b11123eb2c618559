package wire

import "expenseflow/models"

// Errors of features that the original has and this server does not. Pages show the
// message.
var (
	ErrNoWorkspaces = notImplemented("Workspaces are not available on this server")
	ErrNoReceipts   = notImplemented("Receipts cannot be stored on this server")
	ErrNoWebPush    = notImplemented("Push notifications are not available on this server: it tells open pages live instead")
)

func notImplemented(msg string) error { return models.E(models.NotImplemented, msg) }

// A ListResponse is a list in the wrapper that the original's pages read.
type ListResponse[T any] struct {
	Success bool `json:"success"`
	Data    []T  `json:"data"`
}
