package wire

import "encoding/json"

// ParseMeta parses the Meta of a body, such as the device in the body of DELETE, and
// ignores everything else. Errors are as for ParseDraft.
func ParseMeta(body json.RawMessage) (Meta, error) {
	o, err := readObject(body)
	if err != nil {
		return Meta{}, err
	}
	m, vs := readMeta(o)
	return m, joiError(vs)
}

// ParseRetry parses {data?}, the body of POST /api/sync/pending/:id/retry. It returns nil
// if the queued data is to be used. Errors are as for ParseDraft.
func ParseRetry(body json.RawMessage) (data json.RawMessage, err error) {
	o, err := readUnboundedObject(body)
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
