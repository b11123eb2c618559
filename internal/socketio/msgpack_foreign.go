package socketio

import (
	"encoding/binary"
	"encoding/json"
	"time"
)

// ReadMsgpack converts a value of msgpack to JSON, as JSON.stringify would write what the
// program in JavaScript had. It reads what clients send and the timestamps of the
// specification, which notepack.io 3 and @msgpack/msgpack write for a Date. Binary values
// become placeholders, as in [Event].Args; an Event of the result's parts has Values that can
// be sent. Containers nest at most depth deep.
func ReadMsgpack(data []byte, depth int) (value json.RawMessage, attachments [][]byte, err error) {
	r := msgpackReader{in: data, lim: &limits{attachments: maxMsgpackAttachments, depth: depth}, timestamps: true}
	if err := r.value(0); err != nil {
		return nil, nil, err
	}
	if len(r.in) != 0 {
		return nil, nil, errMsgpack
	}
	return r.out, r.attachments, nil
}

// timestampType is the type of the extension that is a timestamp: -1.
const timestampType = 0xff

// isTimestamp reports whether an extension is a timestamp. Its type comes next.
func (r *msgpackReader) isTimestamp() bool {
	return r.timestamps && len(r.in) > 0 && r.in[0] == timestampType
}

// timestamp converts a timestamp of n bytes behind its type: seconds in 4 bytes, or
// nanoseconds and seconds in 8 (30 and 34 bits) or 12 bytes.
func (r *msgpackReader) timestamp(n int) error {
	b, err := r.take(1 + n)
	if err != nil {
		return err
	}
	var seconds int64
	var nanoseconds uint64
	switch b = b[1:]; n {
	case 4:
		seconds = int64(binary.BigEndian.Uint32(b))
	case 8:
		v := binary.BigEndian.Uint64(b)
		nanoseconds, seconds = v>>34, int64(v&(1<<34-1))
	default:
		nanoseconds, seconds = uint64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))
	}
	switch {
	case nanoseconds > 999_999_999:
		return errMsgpack
	case seconds < -maxDate/1000 || seconds > maxDate/1000:
		r.appendDate(maxDate + 1)
	default:
		r.appendDate(seconds*1000 + int64(nanoseconds)/int64(time.Millisecond))
	}
	return nil
}
