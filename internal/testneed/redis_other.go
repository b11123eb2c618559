//go:build !unix

package testneed

import (
	"errors"
	"testing"
)

// RedisOptions are how a Redis server differs from the default.
type RedisOptions struct {
	Password, TLS, Member bool
	Of, Watch             *RedisServer
}

// SentinelName is the name of the server that a Sentinel watches.
const SentinelName = "watched"

// A RedisServer is a private Redis server; never made on this system.
type RedisServer struct{ URL, CertFile string }

// Redis is the URL of a Redis server that belongs to this test binary; not on this system.
func Redis(t testing.TB) string {
	t.Helper()
	missing(t, "Redis on Unix")
	return ""
}

// NewRedis is a server of this test's own; not on this system.
func NewRedis(t testing.TB, _ RedisOptions) *RedisServer {
	t.Helper()
	missing(t, "Redis on Unix")
	return nil
}

// NewRedisCluster is a cluster of two masters; not on this system.
func NewRedisCluster(t testing.TB) (url string) {
	t.Helper()
	missing(t, "Redis on Unix")
	return ""
}

// AwaitReplica waits until a Sentinel knows a replica that it could promote.
func (s *RedisServer) AwaitReplica(t testing.TB) { t.Helper() }

// AwaitMaster waits until a replica has been promoted.
func (s *RedisServer) AwaitMaster(t testing.TB) { t.Helper() }

// PrivateRedis is a server for programs; not on this system.
func PrivateRedis() (*RedisServer, error) { return nil, errors.New("Redis is started on Unix only") }

// Stop ends the server.
func (s *RedisServer) Stop(t testing.TB) { t.Helper() }

// Halt is Stop for programs.
func (s *RedisServer) Halt() error { return errors.ErrUnsupported }

// Start starts it again.
func (s *RedisServer) Start(t testing.TB) { t.Helper() }

// Resume is Start for programs.
func (s *RedisServer) Resume() error { return errors.ErrUnsupported }

// Pause stops its process until Continue.
func (s *RedisServer) Pause(t testing.TB) { t.Helper() }

// Continue ends a pause.
func (s *RedisServer) Continue(t testing.TB) { t.Helper() }

// Close ends the server.
func (s *RedisServer) Close() {}
