package dialect

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"slices"

	"expenseflow/internal/store/rows"

	"github.com/jackc/pgx/v5/stdlib"
)

// MinCopy is from how many rows on PostgreSQL gets them by COPY: fewer cost less as an
// INSERT, which is planned once for the life of a connection.
const MinCopy = 8

// Copy writes rows by COPY on a connection to PostgreSQL, which is less work than an INSERT
// for the server and needs no arrays here (docs/decisions/0008).
func Copy(ctx context.Context, conn *sql.Conn, t *rows.Table, values [][]any) error {
	data := bytes.NewReader(appendCopy(nil, values))
	return conn.Raw(func(driver any) error {
		pg := driver.(*stdlib.Conn).Conn().PgConn()
		_, err := pg.CopyFrom(ctx, data, "COPY "+t.Name+" ("+t.Names()+") FROM STDIN BINARY")
		return err
	})
}

// What begins and ends a binary COPY (PostgreSQL's documentation of COPY, "Binary
// Format"): signature, flags, length of the extension; and a row of -1 columns.
const (
	copyHeader  = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
	copyTrailer = "\xff\xff"
	copyNull    = "\xff\xff\xff\xff" // in place of a length
)

// appendCopy appends rows in PostgreSQL's binary format.
func appendCopy(b []byte, values [][]any) []byte {
	b = slices.Grow(b, copySize(values))
	b = append(b, copyHeader...)
	for _, row := range values {
		b = binary.BigEndian.AppendUint16(b, uint16(len(row)))
		for _, v := range row {
			b = appendCopyField(b, v)
		}
	}
	return append(b, copyTrailer...)
}

// copySize is about how much rows take.
func copySize(values [][]any) int {
	n := len(copyHeader) + len(copyTrailer)
	for _, row := range values {
		for _, v := range row {
			text, _ := v.(string)
			n += 12 + len(text)
		}
	}
	return n
}

// appendCopyField appends a value of a column of the kind Text, Bytes, Integer or
// NullableInteger; a nil *int64 is NULL.
func appendCopyField(b []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case []byte:
		return append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
	case int64:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(b, 8), uint64(v))
	case *int64:
		if v != nil {
			return appendCopyField(b, *v)
		}
	}
	return append(b, copyNull...)
}
