package mongodump

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// maxSpool is the default of Options.MaxSpool.
const maxSpool = 64 << 30

// addStdin copies standard input, which is needed more than once, into a file.
func (d *Dump) addStdin(o Options) error {
	if d.spooled != "" || o.Stdin == nil {
		return errors.New("there is one standard input: name it once")
	}
	if o.MaxSpool == 0 {
		o.MaxSpool = maxSpool
	}
	path, err := spool(o)
	if err != nil {
		return fmt.Errorf("standard input cannot be kept for reading it twice: %w", err)
	}
	d.spooled = path
	f, err := recognize(path)
	f.standardInput = true
	if err != nil {
		return f.explain(err)
	}
	if f.kind != kindArchive {
		return errors.New("standard input is no archive of mongodump: write one with mongodump --archive, or name files, " +
			"whose names say which collections they hold")
	}
	d.files = append(d.files, f)
	return nil
}

// spool writes standard input to a file and returns its path.
func spool(o Options) (path string, err error) {
	out, err := os.CreateTemp(o.Spool, "expenseflow-import-")
	if err != nil {
		return "", err
	}
	n, err := io.Copy(out, io.LimitReader(o.Stdin, o.MaxSpool+1))
	if err == nil && n > o.MaxSpool {
		err = fmt.Errorf("it has more than %d bytes: write it to a file and name that", o.MaxSpool)
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return "", errors.Join(err, os.Remove(out.Name()))
	}
	return out.Name(), nil
}
