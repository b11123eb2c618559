package static

import (
	"bytes"
	"embed"
	"io/fs"
	"path"
	"sync"
)

const (
	programName   = "js/app.js" // the first module, and what all of them are sent as
	sourceMapName = programName + ".map"
)

// A served file system has the files of another one as they are sent: styles and modules
// without comments (comments.go), and as js/app.js all modules in one (link.go), with a source
// map beside it. What is sent is made once.
type served struct {
	embed.FS
	linked func() (program, error)
	plain  *sync.Map // name to content without comments
}

func newServed(sources embed.FS) served {
	s := served{FS: sources, plain: &sync.Map{}}
	s.linked = sync.OnceValues(func() (program, error) { return link(s.withoutComments, programName) })
	return s
}

// Open implements fs.FS.
func (s served) Open(name string) (fs.File, error) {
	if !isMade(name) {
		return s.FS.Open(name)
	}
	content, err := s.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if name == sourceMapName {
		name = programName // which has the attributes of its source map
	}
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &servedFile{f, bytes.NewReader(content)}, nil
}

// ReadFile implements fs.ReadFileFS, which embed.FS would else do.
func (s served) ReadFile(name string) ([]byte, error) {
	switch {
	case name == programName:
		p, err := s.linked()
		return p.code, err
	case name == sourceMapName:
		p, err := s.linked()
		return p.sourceMap, err
	case isMade(name):
		return s.withoutComments(name)
	}
	return s.FS.ReadFile(name)
}

// isMade reports whether a file is sent otherwise than it is written.
func isMade(name string) bool {
	ext := path.Ext(name)
	return ext == ".js" || ext == ".css" || name == sourceMapName
}

func (s served) withoutComments(name string) ([]byte, error) {
	if content, ok := s.plain.Load(name); ok {
		return content.([]byte), nil
	}
	source, err := s.FS.ReadFile(name)
	if err != nil {
		return nil, err
	}
	content := withoutComments(source)
	s.plain.Store(name, content)
	return content, nil
}

type servedFile struct {
	fs.File
	content *bytes.Reader
}

func (f *servedFile) Read(b []byte) (int, error) { return f.content.Read(b) }

// Seek implements io.Seeker.
func (f *servedFile) Seek(offset int64, whence int) (int64, error) {
	return f.content.Seek(offset, whence)
}
