package wire

import (
	"encoding/json"
	"slices"
)

// A ClientInfo is the information in a socket's auth object besides the token
// (docs/contract.md#live-features).
type ClientInfo struct {
	DeviceID string // auth.deviceId; "" if absent
	TimeZone string // auth.timeZone; "" if absent
	Batch    bool   // whether auth.features contains "batch": BatchEvent is supported
}

// ParseClientInfo reads the fields of a socket's auth object. Invalid device ids and unknown
// features are dropped, because a page whose socket is refused would never connect.
func ParseClientInfo(auth map[string]json.RawMessage) ClientInfo {
	h := ClientInfo{DeviceID: stringOf(auth["deviceId"]), TimeZone: stringOf(auth["timeZone"])}
	if checkID("deviceId", h.DeviceID) != nil {
		h.DeviceID = ""
	}
	var features []json.RawMessage
	if json.Unmarshal(auth["features"], &features) == nil {
		h.Batch = slices.ContainsFunc(features, func(f json.RawMessage) bool { return stringOf(f) == "batch" })
	}
	return h
}
