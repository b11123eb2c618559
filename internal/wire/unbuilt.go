package wire

import "expenseflow/models"

// What the original has and this server does not. Pages show the sentence.
var (
	ErrNoWorkspaces = notBuilt("Workspaces are not available on this server")
	ErrNoReceipts   = notBuilt("Receipts cannot be stored on this server")
	ErrNoWebPush    = notBuilt("Push notifications are not available on this server: it tells open pages live instead")
)

func notBuilt(msg string) error { return models.E(models.NotBuilt, msg) }

// A Listed is a list in the original's wrapper.
type Listed[T any] struct {
	Success bool `json:"success"`
	Data    []T  `json:"data"`
}
