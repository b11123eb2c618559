// Package config reads the environment into one documented struct.
//
// Load reads it once, including a .env file in the working directory, and reports all
// problems at once, each with its fix. Nothing else in the program reads the environment.
// An empty variable counts as unset. NAME_FILE may name a file that contains the value of
// a secret NAME.
//
// The tags of Config are the documentation: --help, the config sub-command and
// docs/deploy/README.md are generated from them.
package config

import (
	"path/filepath"
	"time"

	"expenseflow/models"
)

// Config is the configuration of the process. In its tags, env is the name of the
// variable, help its description, oneof, min and max the allowed values, eg an example for
// messages, and main lists it in docs/deploy/README.md.
type Config struct {
	Port int    `env:"PORT" envDefault:"3000" min:"0" max:"65535" help:"TCP port; 0 takes any free one" main:"true"`
	Host string `env:"HOST" help:"address to listen on; empty listens on all, 0.0.0.0 on those of IPv4" eg:"127.0.0.1"`
	Env  string `env:"NODE_ENV" envDefault:"development" oneof:"development|test|staging|production" help:"production refuses missing, short and sample secrets" main:"true"`

	DataDir          string        `env:"DATA_DIR" envDefault:"data" help:"folder of what the server keeps: the embedded database and a secret it made"`
	DatabaseURL      DSN           `env:"DATABASE_URL" help:"postgres://... or the path of a SQLite file; empty is expenseflow.db in DATA_DIR" eg:"postgres://user:password@localhost:5432/expenseflow" main:"true"`
	DatabaseConns    int           `env:"DATABASE_MAX_CONNECTIONS" envDefault:"16" min:"2" max:"1000" help:"most connections to the database, beside one that follows the logs"`
	FailoverLossless bool          `env:"FAILOVER_LOSSLESS" envDefault:"false" help:"a PostgreSQL standby that is promoted has everything that was acknowledged (synchronous replication), so devices go on where they were"`
	DatabaseListen   DSN           `env:"DATABASE_LISTEN_URL" help:"a direct connection to the same PostgreSQL for notifications between processes, where DATABASE_URL leads to a pooler of transactions; empty is DATABASE_URL" eg:"postgres://user:password@localhost:5432/expenseflow"`
	SQLiteSync       string        `env:"SQLITE_SYNC" envDefault:"full" oneof:"full|normal" help:"full survives a power cut; normal is faster and may lose the last moments then"`
	Retention        time.Duration `env:"SYNC_RETENTION" envDefault:"90d" min:"90d" max:"100y" help:"how long answers to offline batches and to named requests are kept for repeated ones"`
	LogRetention     time.Duration `env:"LOG_RETENTION" envDefault:"90d" min:"1h" max:"100y" help:"how long changes and deletions are kept for devices that were away; after that they load everything again"`

	RedisURL    DSN    `env:"REDIS_URL" help:"redis://... or rediss://... that carries hints between the processes on one PostgreSQL: a change then reaches the devices of another within milliseconds; empty is PostgreSQL's own NOTIFY" eg:"redis://user:password@localhost:6379/0"`
	RedisPrefix string `env:"REDIS_PREFIX" envDefault:"expenseflow" help:"first part of the names of channels in Redis"`

	Emitters      []string `env:"EMITTERS" oneof:"redis|postgres" help:"receive events of the application's other programs: of @socket.io/redis-emitter by REDIS_URL, of @socket.io/postgres-emitter by the database; empty receives none" eg:"redis,postgres"`
	EmitterPrefix string   `env:"EMITTER_PREFIX" envDefault:"socket.io" help:"what those programs use as key or channelPrefix"`

	JWTSecret         Secret        `env:"JWT_SECRET" help:"signs tokens, at least 32 characters; see JWT_SECRET_AUTO" eg:"the output of: openssl rand -hex 32" main:"true"`
	JWTSecretAuto     string        `env:"JWT_SECRET_AUTO" oneof:"true|false" help:"without JWT_SECRET, make one on first start and keep it in DATA_DIR; true unless NODE_ENV=production"`
	JWTSecretPrevious Secret        `env:"JWT_SECRET_PREVIOUS" help:"a second secret that is accepted and never signs, while JWT_SECRET is changed (docs/operations.md)" eg:"the JWT_SECRET before"`
	JWTExpire         time.Duration `env:"JWT_EXPIRE" envDefault:"7d" min:"1s" max:"100y" help:"age at which a token ends; a bare number is seconds" main:"true"`
	Registration      bool          `env:"ALLOW_REGISTRATION" envDefault:"true" help:"whether anybody may make an account; with false the page offers none, and there are those that exist"`
	PasswordMin       int           `env:"PASSWORD_MIN_LENGTH" min:"1" max:"72" eg:"12" help:"fewest characters of a new password; 8, or 6 with STATIC_DIR, whose pages ask for no more"`

	FrontendURL Origins `env:"FRONTEND_URL" help:"origins that browsers may call from, comma-separated; empty allows any, with credentials only pages of this machine, and those not in production" eg:"https://money.example.org" main:"true"`
	StaticDir   Folders `env:"STATIC_DIR" help:"folders of an existing frontend to serve instead of the built-in page, separated as in PATH; the first that has a file wins" eg:"../ExpenseFlow/public:../ExpenseFlow" main:"true"`
	ListFormat  string  `env:"EXPENSES_LIST_FORMAT" envDefault:"auto" oneof:"auto|array|wrapped" help:"GET /api/expenses: auto gives each page the form that it reads (docs/compatibility.md)"`

	BasePath BasePath `env:"BASE_PATH" help:"path below which page, API and sockets are served, for a proxy that passes it as it is (docs/deploy); empty is the root" eg:"/money"`

	AdvertiseURL BaseURL `env:"ADVERTISE_URL" help:"where the other processes of the same PostgreSQL reach this one; empty is made of HOST, or this machine's first address, and PORT" eg:"http://10.0.0.5:3000"`

	SyncDupInflight     string        `env:"SYNC_DUP_INFLIGHT" envDefault:"replay" oneof:"replay|409" help:"a batch sent while the same one is under way: wait and replay its answer, or 409"`
	SyncTokenGrace      time.Duration `env:"SYNC_TOKEN_GRACE" envDefault:"0" min:"0s" max:"1y" help:"how long after its end a token still opens POST /api/sync/batch"`
	SuppressSelfByToken bool          `env:"SUPPRESS_SELF_BY_TOKEN" envDefault:"false" help:"spare sockets the events of requests made with their own token and no deviceId"`

	MaxExpenses int `env:"MAX_EXPENSES_PER_USER" envDefault:"250000" min:"0" max:"100000000" help:"expenses of one user; 0 is no limit"`

	MaxConnectionsPerUser int           `env:"MAX_CONNECTIONS_PER_USER" envDefault:"100" min:"0" max:"1000000" help:"open sockets of one user; 0 is no limit"`
	MaxRooms              int           `env:"MAX_ROOMS_PER_SOCKET" envDefault:"100" min:"1" max:"1000" help:"rooms of expenses that one socket may be in"`
	MaxDashboards         int           `env:"MAX_DASHBOARDS_PER_USER" envDefault:"20" min:"1" max:"1000" help:"different dashboards that the sockets of one user may be subscribed to, each socket to one"`
	MaxConnections        int           `env:"MAX_CONNECTIONS" envDefault:"50000" min:"0" max:"10000000" help:"open sockets of all users; 0 is no limit"`
	MaxTCPConnections     int           `env:"MAX_TCP_CONNECTIONS" envDefault:"0" min:"-1" max:"10000000" help:"TCP connections of all clients; 0 is 0.8 of the limit of open files, -1 no limit"`
	ConnectRate           Rate          `env:"CONNECT_RATE" envDefault:"0" help:"sockets that may be opened, before anything is read for them; the rest are told to try again; 0 is no limit" eg:"500/1s"`
	ConnectionMaxAge      time.Duration `env:"CONNECTION_MAX_AGE" envDefault:"0" min:"0s" max:"100y" help:"age up to which a socket stays, so that sockets spread over processes that were added; it connects anew in the last fifth of it and continues where it was; 0 is no limit"`
	SocketQueue           Bytes         `env:"SOCKET_QUEUE_BYTES" envDefault:"1MiB" min:"65536" max:"1073741824" help:"what may wait in memory for one slow socket"`
	SocketRate            Rate          `env:"SOCKET_RATE" envDefault:"50/10s" help:"events that one socket may send; 0 is no limit"`
	Transports            []string      `env:"TRANSPORTS" envDefault:"polling,websocket" oneof:"polling|websocket" help:"transports of sockets; with websocket alone several processes have no requests to forward to each other"`
	WebSocketCompression  bool          `env:"WEBSOCKET_COMPRESSION" envDefault:"false" help:"compress messages of 1 KiB and more for WebSocket clients that offer it (permessage-deflate): fewer bytes for more processor time"`

	EventNames     string  `env:"EVENT_NAMES" envDefault:"both" oneof:"both|underscore|colon" help:"names of the events of expenses: expense_created, expense:created, or both"`
	NotifyExpenses bool    `env:"NOTIFY_EXPENSES" envDefault:"false" help:"also send a notification of each change of an expense to the user's other devices"`
	NotifyBalance  bool    `env:"NOTIFY_BALANCE" envDefault:"false" help:"also send a notification of each change of the balance to the user's devices"`
	LowBalance     Amount  `env:"LOW_BALANCE_THRESHOLD" help:"notify a user whose balance falls below this amount; empty never does" eg:"100"`
	DefaultZone    Zone    `env:"DEFAULT_TIME_ZONE" envDefault:"UTC" help:"time zone of the days of accounts none of whose clients has named one" eg:"Europe/Berlin"`
	RatesFile      string  `env:"RATES_FILE" help:"exchange rates in JSON, read at the start; empty converts nothing" eg:"/etc/expenseflow/rates.json"`
	AdminUser      string  `env:"ADMIN_USER" envDefault:"admin" help:"user name of the Admin UI"`
	AdminPassword  Secret  `env:"ADMIN_PASSWORD" help:"opens the namespace /admin to the Admin UI of Socket.IO (docs/operations.md), at least 16 characters; empty closes it" eg:"the output of: openssl rand -hex 16"`
	AdminUIOrigin  Origins `env:"ADMIN_UI_ORIGIN" help:"origins of Admin UIs, comma-separated, which may connect to /admin with credentials and to nothing else" eg:"https://admin.socket.io"`
	AdminUIMode    string  `env:"ADMIN_UI_MODE" envDefault:"production" oneof:"production|development" help:"production shows figures; development also every socket, room and event, which costs time while somebody looks"`
	AdminUIWrite   bool    `env:"ADMIN_UI_WRITE" envDefault:"false" help:"admins may send events, and have sockets join and leave rooms and disconnect"`
	AdminUIRedact  bool    `env:"ADMIN_UI_REDACT" envDefault:"true" help:"show of events only names, ids and kinds, not what people wrote or spent; false shows all but tokens"`
	AdminToken     Secret  `env:"ADMIN_TOKEN" help:"opens the routes of /api/admin, at least 16 characters; empty closes it" eg:"the output of: openssl rand -hex 16"`

	RateLimit        Rate `env:"RATE_LIMIT" envDefault:"10000/15m" help:"API requests of one user, and of one address without a valid token; all users of an address have a hundred times as many; 0 is no limit"`
	AuthRateLimit    Rate `env:"AUTH_RATE_LIMIT" envDefault:"20/15m" help:"wrong passwords, and wrong admin tokens, of one address; 0 is no limit"`
	AuthAccountLimit Rate `env:"AUTH_ACCOUNT_RATE_LIMIT" envDefault:"100/15m" help:"wrong passwords for one account, of all addresses; 0 is no limit"`
	SignInLimit      Rate `env:"SIGN_IN_RATE_LIMIT" envDefault:"60/15m" help:"sign-ins and registrations of one address while many others wait to sign in; 0 is no limit"`
	RefreshLimit     Rate `env:"REFRESH_RATE_LIMIT" envDefault:"60/15m" help:"new tokens of one user for those that are about to end; 0 is no limit"`
	SyncRateLimit    Rate `env:"SYNC_RATE_LIMIT" envDefault:"600/1m" help:"offline batches of one token, at least 60/1m; 0 is no limit"`

	TrustedProxies Prefixes `env:"TRUSTED_PROXIES" help:"addresses or networks whose X-Forwarded-For, -Proto and -Host are believed; empty believes none" eg:"127.0.0.1,10.0.0.0/8" main:"true"`
	TLSCertFile    string   `env:"TLS_CERT_FILE" help:"certificate chain in PEM; with TLS_KEY_FILE the server speaks HTTPS; both are read again as they change"`
	TLSKeyFile     string   `env:"TLS_KEY_FILE" help:"private key in PEM"`

	AutocertDomains   Domains `env:"AUTOCERT_DOMAINS" help:"names for which the server has itself given certificates, whose authority's terms are thereby accepted, and speaks HTTPS; for one process alone, with PORT=443 or that port forwarded" eg:"money.example.org"`
	AutocertDirectory string  `env:"AUTOCERT_DIRECTORY" envDefault:"https://acme-v02.api.letsencrypt.org/directory" help:"directory of the ACME authority that issues them"`
	AutocertCAFile    string  `env:"AUTOCERT_CA_FILE" help:"certificate in PEM by which an authority of your own is recognised; empty is the system's"`
	RedirectAddr      string  `env:"REDIRECT_ADDR" help:"address of a second listener that sends browsers from HTTP to HTTPS, and answers the authority; empty is :80 with AUTOCERT_DOMAINS and else none, none is none" eg:"0.0.0.0:80"`

	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s" min:"1s" max:"1h" help:"how long sockets and requests may take to end in a shutdown, after SHUTDOWN_DELAY and DRAIN_SPREAD"`
	ShutdownDelay   time.Duration `env:"SHUTDOWN_DELAY" envDefault:"500ms" min:"0s" max:"10m" help:"how long /readyz says no before anything stops"`
	DrainSpread     time.Duration `env:"DRAIN_SPREAD" envDefault:"10s" min:"0s" max:"1h" help:"time over which a shutdown closes the sockets, each at a random moment, if another process takes them"`

	LogLevel    string `env:"LOG_LEVEL" envDefault:"info" oneof:"debug|info|warn|error" help:"least severe log lines"`
	LogFormat   string `env:"LOG_FORMAT" oneof:"text|json" help:"text, or json as in production"`
	AccessLog   bool   `env:"ACCESS_LOG" envDefault:"true" help:"one log line per HTTP request"`
	MetricsAddr string `env:"METRICS_ADDR" help:"address of a second listener with /metrics and, for callers from the same machine, /debug/pprof; empty opens none" eg:"127.0.0.1:9090"`

	MetricsToken Secret `env:"METRICS_TOKEN" help:"bearer token without which METRICS_ADDR answers nothing, at least 16 characters; empty answers everybody who reaches it" eg:"the output of: openssl rand -hex 16"`

	// Rates is the content of RatesFile; nil without one.
	Rates *models.Rates `env:"-"`

	// Warnings are findings of Load that are not problems, one sentence each.
	Warnings []string `env:"-"`
}

// MostRooms is the highest MAX_ROOMS_PER_SOCKET.
const MostRooms = 1000

// Production reports whether NODE_ENV is production.
func (c *Config) Production() bool { return c.Env == "production" }

// Database returns the address of the database: a PostgreSQL URL or the path of a SQLite
// file.
func (c *Config) Database() string {
	if c.DatabaseURL != "" {
		return c.DatabaseURL.Reveal()
	}
	return filepath.Join(c.DataDir, "expenseflow.db")
}

// OnPostgres reports whether the database is PostgreSQL, which several processes may share.
func (c *Config) OnPostgres() bool { return isPostgresURL(c.DatabaseURL.Reveal()) }

// ListenDatabase returns the address of the connection for notifications, and the name of
// the setting that it is from.
func (c *Config) ListenDatabase() (address, setting string) {
	if c.DatabaseListen != "" {
		return c.DatabaseListen.Reveal(), "DATABASE_LISTEN_URL"
	}
	return c.DatabaseURL.Reveal(), "DATABASE_URL"
}

// HTTPS reports whether the server ends TLS itself.
func (c *Config) HTTPS() bool { return c.TLSCertFile != "" || len(c.AutocertDomains) > 0 }

// Redirect returns the address of the listener for plain HTTP beside HTTPS; "" if there is none.
func (c *Config) Redirect() string {
	switch {
	case c.RedirectAddr == "none":
		return ""
	case c.RedirectAddr == "" && len(c.AutocertDomains) > 0:
		return ":80"
	}
	return c.RedirectAddr
}

// AutocertDir returns the folder of what the ACME authority issued, with the keys.
func (c *Config) AutocertDir() string { return filepath.Join(c.DataDir, "autocert") }

// MakeSecret reports whether a missing JWT_SECRET is generated and stored in DataDir.
func (c *Config) MakeSecret() bool {
	if c.JWTSecretAuto == "" {
		return !c.Production()
	}
	return c.JWTSecretAuto == "true"
}

// SecretFile returns the path of the generated secret.
func (c *Config) SecretFile() string { return filepath.Join(c.DataDir, "jwt_secret") }

// JSONLogs reports whether log lines are JSON.
func (c *Config) JSONLogs() bool {
	return c.LogFormat == "json" || (c.LogFormat == "" && c.Production())
}
