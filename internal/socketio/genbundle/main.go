// Genbundle packs the browser client for package socketio. It is run in that
// package's directory, with the folder of npm's socket.io-client as its argument:
//
//	go run ./genbundle node_modules/socket.io-client
//
// The output depends on nothing but these files, so a second run changes nothing.
package main

import (
	"bytes"
	"compress/gzip"
	"log"
	"os"
	"path/filepath"
)

// names are the files that the Node.js server serves.
var names = []string{
	"socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js",
	"socket.io.js.map", "socket.io.min.js.map", "socket.io.msgpack.min.js.map", "socket.io.esm.min.js.map",
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: genbundle <folder of socket.io-client>")
	}
	for _, name := range names {
		if err := pack(filepath.Join(os.Args[1], "dist", name), filepath.Join("bundle", name+".gz")); err != nil {
			log.Fatal(err)
		}
	}
	if err := copyFile(filepath.Join(os.Args[1], "LICENSE"), filepath.Join("bundle", "LICENSE")); err != nil {
		log.Fatal(err)
	}
}

// pack writes from, compressed, to to.
func pack(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(data); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, out.Bytes(), 0o644)
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
