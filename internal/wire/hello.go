package wire

import (
	"encoding/json"
	"slices"
)

// A Hello is what a socket says of itself beside its token (docs/contract.md#live-features).
type Hello struct {
	DeviceID string // auth.deviceId; "" if it named none
	TimeZone string // auth.timeZone; "" if it named none
	Batch    bool   // auth.features has "batch": it takes many changes in one event
}

// ParseHello reads a socket's auth. What is no name that a device can have made,
// and features that nobody knows, are dropped: refusing the socket would keep a
// page away for good.
func ParseHello(auth json.RawMessage) Hello {
	o, err := readObject(auth)
	if err != nil {
		return Hello{}
	}
	h := Hello{DeviceID: str(o["deviceId"]), TimeZone: str(o["timeZone"])}
	if checkID("deviceId", h.DeviceID) != nil {
		h.DeviceID = ""
	}
	var features []json.RawMessage
	if json.Unmarshal(o["features"], &features) == nil {
		h.Batch = slices.ContainsFunc(features, func(f json.RawMessage) bool { return str(f) == "batch" })
	}
	return h
}
