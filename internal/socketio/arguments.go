package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// A binaryArg is an argument that holds binary values, as a client sent it: JSON with
// placeholders, and the attachments that they name. It is what Event.Values returns for
// such an argument.
type binaryArg struct {
	raw         json.RawMessage
	attachments [][]byte
}

// MarshalJSON represents binary values in base64. It serves a binaryArg that is part of
// another value; one that is an argument itself is sent with its attachments.
func (a binaryArg) MarshalJSON() ([]byte, error) { return inline(a.raw, a.attachments), nil }

// An argWriter encodes the arguments of an event or acknowledgement as JSON and collects
// the attachments.
type argWriter struct {
	out         []byte
	attachments [][]byte
	scratch     bytes.Buffer
	enc         *json.Encoder // writes to scratch; made when needed
}

// array appends a JSON array of name, unless that is empty, and args.
func (w *argWriter) array(name string, args []any) error {
	w.out = append(w.out, '[')
	if name != "" {
		if err := w.value(name); err != nil {
			return err
		}
	}
	for i, arg := range args {
		if i > 0 || name != "" {
			w.out = append(w.out, ',')
		}
		if err := w.arg(arg); err != nil {
			return fmt.Errorf("argument %d: %w", i, err)
		}
	}
	w.out = append(w.out, ']')
	return nil
}

// arg appends one argument.
func (w *argWriter) arg(arg any) error {
	switch arg := arg.(type) {
	case json.RawMessage:
		return w.raw(arg)
	case binaryArg:
		w.binary(arg)
		return nil
	}
	return w.value(arg)
}

// raw appends JSON as it is.
func (w *argWriter) raw(raw json.RawMessage) error {
	if raw == nil {
		raw = json.RawMessage("null")
	}
	if !json.Valid(raw) {
		return errors.New("not valid JSON")
	}
	w.out = append(w.out, hideLookAlikes(raw)...)
	return nil
}

// binary appends an argument and its attachments, which are numbered anew.
func (w *argWriter) binary(a binaryArg) {
	w.out = replacePlaceholders(w.out, a.raw, func(out []byte, num int) []byte {
		w.attachments = append(w.attachments, a.attachments[num])
		return appendPlaceholder(out, len(w.attachments)-1)
	})
}

// value appends any other value as encoding/json does, but leaves <, > and & alone as
// JSON.stringify does.
func (w *argWriter) value(v any) error {
	if w.enc == nil {
		w.enc = json.NewEncoder(&w.scratch)
		w.enc.SetEscapeHTML(false)
	}
	w.scratch.Reset()
	if err := w.enc.Encode(v); err != nil {
		return err
	}
	w.out = append(w.out, hideLookAlikes(bytes.TrimSuffix(w.scratch.Bytes(), []byte{'\n'}))...)
	return nil
}
