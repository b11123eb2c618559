package app

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"expenseflow/internal/config"
	"expenseflow/internal/keyring"
)

// secretBytes is the length of a secret that the program creates, before it is written
// in hex.
const secretBytes = 32

// secrets returns the secrets of this installation: JWT_SECRET, which signs, and
// JWT_SECRET_PREVIOUS.
func secrets(cfg *config.Config, log *slog.Logger) (keyring.Ring, error) {
	current, err := jwtSecret(cfg, log)
	if err != nil {
		return keyring.Ring{}, err
	}
	if cfg.JWTSecretPrevious != "" {
		log.Info("what JWT_SECRET_PREVIOUS has signed is accepted: leave it empty when JWT_EXPIRE has passed since it signed last",
			slog.Duration("jwt_expire", cfg.JWTExpire))
	}
	return keyring.New(current, []byte(cfg.JWTSecretPrevious.Reveal())), nil
}

// jwtSecret returns JWT_SECRET, or else the secret in the data directory, which is created
// if it is missing.
func jwtSecret(cfg *config.Config, log *slog.Logger) ([]byte, error) {
	if cfg.JWTSecret != "" {
		return []byte(cfg.JWTSecret.Reveal()), nil
	}
	path := cfg.SecretFile()
	if secret, err := readSecret(path); err != nil || secret != nil {
		return secret, err
	}
	secret, err := makeSecret(path)
	if err != nil {
		return nil, notWritable(cfg.DataDir, err)
	}
	log.Info("made a secret that signs tokens; keep the file, or everybody signs in again", slog.String("file", path))
	return secret, nil
}

// checkSecretCreatable returns an error if there is no secret and none can be created. It
// is called before anything else is created.
func checkSecretCreatable(cfg *config.Config) error {
	if is, err := os.Stat(cfg.DataDir); err == nil && !is.IsDir() {
		return fmt.Errorf("DATA_DIR=%s is a file: set it to a folder, which need not be there yet", cfg.DataDir)
	}
	if cfg.JWTSecret != "" {
		return nil
	}
	if secret, err := readSecret(cfg.SecretFile()); err != nil || secret != nil {
		return err
	}
	dir := cfg.DataDir
	for dir != filepath.Dir(dir) && !exists(dir) {
		dir = filepath.Dir(dir)
	}
	f, err := os.CreateTemp(dir, ".expenseflow_*")
	if err != nil {
		return notWritable(dir, err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// readSecret returns nil if the file does not exist.
func readSecret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, notReadable(path, err)
	}
	if text = bytes.TrimSpace(text); len(text) < secretBytes {
		return nil, fmt.Errorf("%s does not hold a whole secret: "+
			"restore it from a backup, or delete it so that a new one is made", path)
	}
	return text, nil
}

// makeSecret creates a file with a new secret, atomically. If another process created it
// first, that secret is returned.
func makeSecret(path string) ([]byte, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, ".jwt_secret_*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	if err := writeSecret(f); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readSecret(path)
}

// writeSecret writes a new secret and closes the file.
func writeSecret(f *os.File) error {
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails
	_, err := f.WriteString(hex.EncodeToString(raw) + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// notReadable is the error for a secret that cannot be read, with the command that helps.
func notReadable(path string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the secret that signs tokens cannot be read: %w", err)
	}
	return fmt.Errorf("the secret that signs tokens is not readable for this user: "+
		"run: chown %d:%d %s", os.Getuid(), os.Getgid(), path)
}

// notWritable is the error for a data directory that cannot be written to, with the
// command that helps.
func notWritable(dir string, err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the data directory %s cannot be written to: %w", dir, err)
	}
	return fmt.Errorf("the data directory %s is not writable for this user: "+
		"run: chown -R %d:%d %s", dir, os.Getuid(), os.Getgid(), dir)
}
