package pubsub

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"expenseflow/models"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
)

// A Redis is a Broker on a Redis server, several behind Sentinel, or a cluster.
type Redis struct {
	client redis.UniversalClient
	where  string // host and port, for messages
}

// OpenRedis makes a Broker of a URL: redis:// or, with TLS, rediss://. A parameter
// master_name makes it one of Sentinel, parameters addr without it one of a cluster. It
// connects with the first use.
func OpenRedis(address string) (*Redis, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, invalidURL(err)
	}
	logging.Disable() // what it would print is returned as an error too
	client, err := newClient(address, u.Query())
	if err != nil {
		return nil, invalidURL(err)
	}
	return &Redis{client, u.Host}, nil
}

func invalidURL(err error) error {
	return models.E(models.Invalid, "REDIS_URL cannot be used ("+reasonOf(err)+"): write redis://user:password@host:6379/0, "+
		"or rediss:// with TLS; @ in a password is %40, / is %2F")
}

// reasonOf returns what is wrong with a URL, without the URL, which err may quote.
func reasonOf(err error) string {
	var parse *url.Error
	if errors.As(err, &parse) {
		err = parse.Err
	}
	text := err.Error()
	if i := strings.IndexAny(text, `"@`); i >= 0 {
		text = text[:i]
	}
	return strings.Trim(strings.TrimPrefix(text, "redis: "), " :")
}

func newClient(address string, query url.Values) (redis.UniversalClient, error) {
	switch {
	case query.Has("master_name"):
		o, err := redis.ParseFailoverURL(address)
		if err != nil {
			return nil, err
		}
		o.MaxRetries, o.PoolSize, o.ContextTimeoutEnabled = noRetries, poolSize, true
		return redis.NewFailoverClient(o), nil
	case query.Has("addr"):
		o, err := redis.ParseClusterURL(address)
		if err != nil {
			return nil, err
		}
		o.MaxRetries, o.PoolSize, o.ContextTimeoutEnabled = noRetries, poolSize, true
		return redis.NewClusterClient(o), nil
	}
	o, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	o.MaxRetries, o.PoolSize, o.ContextTimeoutEnabled = noRetries, poolSize, true
	return redis.NewClient(o), nil
}

const (
	noRetries = -1 // a message that is sent again might arrive twice
	poolSize  = 4
)

// Check implements Broker.
func (r *Redis) Check(ctx context.Context, channel string) error {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	err := r.client.Publish(ctx, channel, "").Err()
	if err == nil {
		err = r.checkSubscribe(ctx, channel)
	}
	if err != nil {
		return r.problem(err)
	}
	return nil
}

func (r *Redis) checkSubscribe(ctx context.Context, channel string) error {
	sub := r.client.Subscribe(ctx, channel)
	defer sub.Close()
	_, err := sub.ReceiveTimeout(ctx, connectTimeout)
	return err
}

// problem says in one sentence why the server does not let us in, and what to do.
func (r *Redis) problem(err error) error {
	kind, fix := models.Invalid, ""
	switch text := err.Error(); {
	case hasAnyPrefix(text, "WRONGPASS", "ERR invalid password", "ERR AUTH"):
		fix = "refuses the user or the password: correct them in REDIS_URL"
	case strings.HasPrefix(text, "NOAUTH"):
		fix = "wants a password: write it into REDIS_URL, as redis://user:password@host:6379"
	case strings.HasPrefix(text, "NOPERM"):
		fix = "does not let this user publish and subscribe: run there: ACL SETUSER name +@pubsub allchannels"
	case strings.HasPrefix(text, "DENIED"):
		fix = "is in protected mode: give it a password, and write that into REDIS_URL"
	case strings.HasPrefix(text, "ERR DB index is out of range"):
		fix = "has no database of that number: correct it in REDIS_URL, where 0 is always there"
	case isUntrusted(err):
		fix = "shows a certificate that is not trusted: name the file of its authority in SSL_CERT_FILE, and the host " +
			"in REDIS_URL as the certificate does"
	case isNoTLS(err):
		fix = "does not speak TLS there: write redis:// instead of rediss:// in REDIS_URL, or use its TLS port"
	default:
		kind, fix = models.Unavailable, "cannot be reached: check REDIS_URL's host and port, that it is rediss:// for "+
			"TLS and redis:// without, and that the server runs"
	}
	return &models.Error{Kind: kind, Msg: "Redis at " + r.where + " " + fix, Err: err}
}

func hasAnyPrefix(text string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// isUntrusted reports whether one side refused the other's certificate.
func isUntrusted(err error) bool {
	var verification *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &alert)
}

// isNoTLS reports whether the server answered a TLS handshake with something else.
func isNoTLS(err error) bool {
	var header tls.RecordHeaderError
	return errors.As(err, &header)
}

// Clock returns what the server's clock shows.
func (r *Redis) Clock(ctx context.Context) (time.Time, error) {
	shown, err := r.client.Time(ctx).Result()
	if err != nil {
		return time.Time{}, r.problem(err)
	}
	return shown, nil
}

// Publish implements Broker.
func (r *Redis) Publish(ctx context.Context, channel string, payloads []string) error {
	_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, payload := range payloads {
			p.Publish(ctx, channel, payload)
		}
		return nil
	})
	if err != nil {
		return r.problem(err)
	}
	return nil
}

// Listen implements Broker.
func (r *Redis) Listen(ctx context.Context, to Channels, subscribed func(), received func(channel, payload string)) error {
	sub := r.client.Subscribe(ctx)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { sub.Close() })() // which ends a read
	if err := subscribe(ctx, sub, to); err != nil {
		return r.problem(err)
	}
	outstanding := len(to.Names) + len(to.Patterns)
	for asked := false; ; {
		msg, err := sub.ReceiveTimeout(ctx, silence)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isTimeout(err) && !asked:
			asked = true
			err = sub.Ping(ctx)
		}
		if err != nil {
			return r.problem(err)
		}
		asked = asked && msg == nil
		switch msg := msg.(type) {
		case *redis.Subscription:
			if outstanding--; outstanding == 0 {
				subscribed()
			}
		case *redis.Message:
			received(msg.Channel, msg.Payload)
		}
	}
}

func subscribe(ctx context.Context, sub *redis.PubSub, to Channels) error {
	if len(to.Names) > 0 {
		if err := sub.Subscribe(ctx, to.Names...); err != nil {
			return err
		}
	}
	if len(to.Patterns) > 0 {
		return sub.PSubscribe(ctx, to.Patterns...)
	}
	return nil
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// Close implements Broker.
func (r *Redis) Close() error { return r.client.Close() }

// EscapePattern returns the pattern that only text itself matches.
func EscapePattern(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(text)
}
