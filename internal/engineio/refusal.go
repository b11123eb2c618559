package engineio

import (
	"errors"
	"net/http"
)

// A Limit names the rule of the Config, or of this package, by which a request was refused
// or a session ended.
type Limit string

// The limits.
const (
	LimitNone       Limit = ""            // the protocol's rules
	LimitOrigin     Limit = "origin"      // Config.AllowRequest
	LimitHead       Limit = "head"        // length of the query, number of its parameters and of headers
	LimitPostponed  Limit = "postponed"   // Config.Postpone
	LimitSessions   Limit = "sessions"    // Config.MaxSessions
	LimitPending    Limit = "pending"     // Config.MaxPending
	LimitUnfinished Limit = "unfinished"  // Config.MaxUnfinished
	LimitPayload    Limit = "payload"     // Config.MaxPayload, Config.MaxEarlyPayload
	LimitPackets    Limit = "packet rate" // Config.PacketRate
	LimitQueue      Limit = "queue"       // Config.MaxQueueBytes, Config.MaxExcess, Config.StallTimeout
)

// A Refusal is a request that was answered with an error code, or a session that ended
// because of a limit.
type Refusal struct {
	Limit  Limit
	Code   ErrorCode // of the answer
	Reason string    // may quote the client

	// Request is the request that was refused; nil if a session ended. Of that, Address is
	// the key of its address, and Owner the name given to Session.SetOwner.
	Request        *http.Request
	Address, Owner string
}

// limitOf returns the limit because of which a session ended.
func limitOf(err error) Limit {
	switch {
	case errors.Is(err, ErrFlood):
		return LimitPackets
	case errors.Is(err, errTooBig), errors.Is(err, ErrPostTooLarge):
		return LimitPayload
	case errors.Is(err, errNoBytesLeft):
		return LimitUnfinished
	case errors.Is(err, ErrStalled), errors.Is(err, ErrQueueFull):
		return LimitQueue
	}
	return LimitNone
}

// reportLimit tells Config.Refused of a session that ended because of a limit.
func (s *Session) reportLimit() {
	s.mu.Lock()
	reason, err, owner := s.reason, s.err, s.owner
	s.mu.Unlock()
	if limit := limitOf(err); limit != LimitNone && s.srv.cfg.Refused != nil {
		s.srv.cfg.Refused(Refusal{Limit: limit, Reason: string(reason), Address: s.address, Owner: owner})
	}
}
