package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// An operation is one thing that a device wants done, however often it says so.
type operation struct {
	device *device
	mark   string // the description that it gives, which no other operation gives
	action string // CREATE, UPDATE or DELETE
	target string // resource id: an expense's or a temporary one
	data   map[string]any
	queued int64 // milliseconds since 1970; 0 while it was not queued

	mu      sync.Mutex
	sent    int
	answers []reply
}

// A reply is what one request answered for one operation.
type reply struct {
	door     string    // POST, PUT, DELETE or batch
	sent, at time.Time // of the request, of its answer
	effect   effect
	doc      *document // as answered; nil if none was
	raw      string    // as answered
}

// An effect is what the device was told of its operation.
type effect uint8

const (
	refused effect = iota // it changed nothing: parked, in conflict, or nothing was there
	applied               // it changed the log
	known                 // it had changed the log before, by another door (docs/contract.md#d17)
)

// wire is the operation as a batch holds it.
func (op *operation) wire() map[string]any {
	return map[string]any{
		"action": op.action, "resourceType": "expense", "resourceId": op.target,
		"data": op.data, "deviceId": op.device.id, "timestamp": op.queued,
	}
}

// twin reports whether nobody could tell two deletions apart: one device queued them
// in the same millisecond. In one batch their places do; in two, the second is a
// repetition of the first (docs/contract.md#d16).
func (op *operation) twin(other *operation) bool {
	return op.device == other.device && op.target == other.target && op.queued == other.queued && op.queued != 0
}

// String names the operation in a history.
func (op *operation) String() string {
	return fmt.Sprintf("%s %s %q", op.action, op.target, op.mark)
}

func (op *operation) sending() {
	op.mu.Lock()
	defer op.mu.Unlock()
	op.sent++
}

func (op *operation) answered(r reply) {
	op.mu.Lock()
	defer op.mu.Unlock()
	r.at = time.Now()
	op.answers = append(op.answers, r)
}

// A result is one entry of a batch's answer.
type result struct {
	Success bool
	Status  string
	Error   string
	Data    *document
}

// batchReply reads one entry of a batch's answer.
func batchReply(raw json.RawMessage, sent time.Time) (reply, error) {
	var r result
	if err := json.Unmarshal(raw, &r); err != nil {
		return reply{}, fmt.Errorf("result %.200s: %w", raw, err)
	}
	out := reply{door: "batch", sent: sent, doc: r.Data, raw: string(raw)}
	switch r.Status {
	case "created", "updated", "deleted":
		out.effect = applied
	case "duplicate":
		out.effect = known
	}
	if (out.effect != refused) != (r.Success && r.Data != nil) {
		return out, fmt.Errorf("result %.200s says two things", raw)
	}
	return out, nil
}

// splitResults reads a batch's answer, which must have a result for each
// operation.
func splitResults(body []byte, want int) ([]json.RawMessage, error) {
	var answer struct{ Results []json.RawMessage }
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("answer %.200q: %w", body, err)
	}
	if len(answer.Results) != want {
		return nil, fmt.Errorf("%d results for %d operations", len(answer.Results), want)
	}
	return answer.Results, nil
}
