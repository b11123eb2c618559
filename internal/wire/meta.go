package wire

import "encoding/json"

// ParseMeta reads what a body says beside an expense's fields, such as the
// device in the body of DELETE. Whatever else is in it is ignored. Errors are
// ParseDraft's.
func ParseMeta(body json.RawMessage) (Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return Meta{}, err
	}
	m, vs := readMeta(o)
	return m, joiError(vs)
}

// ParseRetry reads {data?}, the body with which a person tries a parked
// operation again: nil if the queued data shall stay. Errors are ParseDraft's.
func ParseRetry(body json.RawMessage) (data json.RawMessage, err error) {
	o, err := readQueue(body)
	if err != nil {
		return nil, err
	}
	switch typeOf(o["data"]) {
	case absent, null:
		return nil, nil
	case objectType:
		return o["data"], CheckData(o["data"])
	}
	return nil, notObject(o["data"], "data")
}
