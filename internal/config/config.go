// Package config reads the environment into one documented struct.
//
// Load reads it once, a .env file in the working directory included, and
// reports every problem together with its fix; nothing else in the program
// reads the environment. An empty variable counts as one that is not set, and
// NAME_FILE may name a file that holds the value of a secret NAME.
//
// The tags of Config are the documentation: --help, the config sub-command and
// the README's table are made from them.
package config

import (
	"path/filepath"
	"time"

	"expenseflow/models"
)

// Config is everything the process reads from its environment. The tag env
// names the variable, help says what it does; oneof, min and max hold its
// values, eg is an example for messages, main puts it into the README.
type Config struct {
	Port int    `env:"PORT" envDefault:"3000" min:"0" max:"65535" help:"TCP port; 0 takes any free one" main:"true"`
	Host string `env:"HOST" help:"address to listen on; empty listens on all, 0.0.0.0 on those of IPv4" eg:"127.0.0.1"`
	Env  string `env:"NODE_ENV" envDefault:"development" oneof:"development|test|staging|production" help:"production refuses missing, short and sample secrets" main:"true"`

	DataDir          string        `env:"DATA_DIR" envDefault:"data" help:"folder of what the server keeps: the embedded database and a secret it made"`
	DatabaseURL      DSN           `env:"DATABASE_URL" help:"postgres://... or the path of a SQLite file; empty is expenseflow.db in DATA_DIR" eg:"postgres://user:password@localhost:5432/expenseflow" main:"true"`
	DatabaseConns    int           `env:"DATABASE_MAX_CONNECTIONS" envDefault:"16" min:"2" max:"1000" help:"most connections to the database"`
	FailoverLossless bool          `env:"FAILOVER_LOSSLESS" envDefault:"false" help:"a PostgreSQL standby that is promoted has everything that was acknowledged (synchronous replication), so devices go on where they were"`
	SQLiteSync       string        `env:"SQLITE_SYNC" envDefault:"full" oneof:"full|normal" help:"full survives a power cut; normal is faster and may lose the last moments then"`
	Retention        time.Duration `env:"SYNC_RETENTION" envDefault:"90d" min:"90d" max:"100y" help:"how long answers to offline batches and to named requests are kept for repeated ones"`
	LogRetention     time.Duration `env:"LOG_RETENTION" envDefault:"90d" min:"1h" max:"100y" help:"how long changes and deletions are kept for devices that were away; after that they begin anew"`

	JWTSecret     Secret        `env:"JWT_SECRET" help:"signs tokens, at least 32 characters; see JWT_SECRET_AUTO" eg:"the output of: openssl rand -hex 32" main:"true"`
	JWTSecretAuto string        `env:"JWT_SECRET_AUTO" oneof:"true|false" help:"without JWT_SECRET, make one on first start and keep it in DATA_DIR; true unless NODE_ENV=production"`
	JWTExpire     time.Duration `env:"JWT_EXPIRE" envDefault:"7d" min:"1s" max:"100y" help:"age at which a token ends; a bare number is seconds" main:"true"`
	PasswordMin   int           `env:"PASSWORD_MIN_LENGTH" min:"1" max:"72" eg:"12" help:"fewest characters of a new password; 8, or 6 with STATIC_DIR, whose pages ask for no more"`

	FrontendURL Origins `env:"FRONTEND_URL" help:"origins that browsers may call from, comma-separated; empty allows any, with credentials only pages of this machine, and those not in production" eg:"https://money.example.org" main:"true"`
	StaticDir   Folders `env:"STATIC_DIR" help:"folders of an existing frontend to serve instead of the built-in page, separated as in PATH; the first that has a file wins" eg:"../ExpenseFlow/public:../ExpenseFlow" main:"true"`
	ListFormat  string  `env:"EXPENSES_LIST_FORMAT" envDefault:"auto" oneof:"auto|array|wrapped" help:"GET /api/expenses: auto gives each page the form that it reads (docs/compatibility.md)"`

	SyncDupInflight     string        `env:"SYNC_DUP_INFLIGHT" envDefault:"replay" oneof:"replay|409" help:"a batch sent while the same one is under way: wait and replay its answer, or 409"`
	SyncTokenGrace      time.Duration `env:"SYNC_TOKEN_GRACE" envDefault:"0" min:"0s" max:"1y" help:"how long after its end a token still opens POST /api/sync/batch"`
	SuppressSelfByToken bool          `env:"SUPPRESS_SELF_BY_TOKEN" envDefault:"false" help:"spare sockets the events of requests made with their own token and no deviceId"`

	MaxExpenses int `env:"MAX_EXPENSES_PER_USER" envDefault:"250000" min:"0" max:"100000000" help:"expenses of one user; 0 is no limit"`

	MaxConnectionsPerUser int      `env:"MAX_CONNECTIONS_PER_USER" envDefault:"100" min:"0" max:"1000000" help:"open sockets of one user; 0 is no limit"`
	MaxConnections        int      `env:"MAX_CONNECTIONS" envDefault:"50000" min:"0" max:"10000000" help:"open sockets of all users; 0 is no limit"`
	MaxTCPConnections     int      `env:"MAX_TCP_CONNECTIONS" envDefault:"0" min:"-1" max:"10000000" help:"TCP connections of all clients; 0 is 0.8 of the limit of open files, -1 no limit"`
	SocketQueue           Bytes    `env:"SOCKET_QUEUE_BYTES" envDefault:"1MiB" min:"65536" max:"1073741824" help:"what may wait in memory for one slow socket"`
	SocketRate            Rate     `env:"SOCKET_RATE" envDefault:"50/10s" help:"events that one socket may send; 0 is no limit"`
	Transports            []string `env:"TRANSPORTS" envDefault:"polling,websocket" oneof:"polling|websocket" help:"websocket alone needs no sticky sessions behind a load balancer"`

	EventNames     string `env:"EVENT_NAMES" envDefault:"both" oneof:"both|underscore|colon" help:"names of the events of expenses: expense_created, expense:created, or both"`
	NotifyExpenses bool   `env:"NOTIFY_EXPENSES" envDefault:"false" help:"tell the user's other devices of each change of an expense by a notification too"`
	NotifyBalance  bool   `env:"NOTIFY_BALANCE" envDefault:"false" help:"tell the user's devices of each change of the balance by a notification too"`
	LowBalance     Amount `env:"LOW_BALANCE_THRESHOLD" help:"notify a user whose balance falls below this amount; empty never does" eg:"100"`
	DefaultZone    Zone   `env:"DEFAULT_TIME_ZONE" envDefault:"UTC" help:"time zone of the days of accounts none of whose clients has named one" eg:"Europe/Berlin"`
	RatesFile      string `env:"RATES_FILE" help:"exchange rates in JSON, read at the start; empty converts nothing" eg:"/etc/expenseflow/rates.json"`
	AdminToken     Secret `env:"ADMIN_TOKEN" help:"opens POST /api/admin/status, at least 16 characters; empty closes it" eg:"the output of: openssl rand -hex 16"`

	RateLimit        Rate `env:"RATE_LIMIT" envDefault:"10000/15m" help:"API requests of one user, and of one address without a good token; all users of an address have a hundred times as many; 0 is no limit"`
	AuthRateLimit    Rate `env:"AUTH_RATE_LIMIT" envDefault:"20/15m" help:"wrong passwords, and wrong admin tokens, of one address; 0 is no limit"`
	AuthAccountLimit Rate `env:"AUTH_ACCOUNT_RATE_LIMIT" envDefault:"100/15m" help:"wrong passwords for one account, of all addresses; 0 is no limit"`
	SignInLimit      Rate `env:"SIGN_IN_RATE_LIMIT" envDefault:"60/15m" help:"sign-ins and registrations of one address while many others wait to sign in; 0 is no limit"`
	SyncRateLimit    Rate `env:"SYNC_RATE_LIMIT" envDefault:"600/1m" help:"offline batches of one token, at least 60/1m; 0 is no limit"`

	TrustedProxies Prefixes `env:"TRUSTED_PROXIES" help:"addresses or networks whose X-Forwarded-For, -Proto and -Host are believed; empty believes none" eg:"127.0.0.1,10.0.0.0/8" main:"true"`
	TLSCertFile    string   `env:"TLS_CERT_FILE" help:"certificate chain in PEM; with TLS_KEY_FILE the server speaks HTTPS"`
	TLSKeyFile     string   `env:"TLS_KEY_FILE" help:"private key in PEM"`

	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT" envDefault:"10s" min:"1s" max:"1h" help:"bound of the whole shutdown"`
	ShutdownDelay   time.Duration `env:"SHUTDOWN_DELAY" envDefault:"500ms" min:"0s" max:"10m" help:"how long /readyz says no before anything stops"`

	LogLevel    string `env:"LOG_LEVEL" envDefault:"info" oneof:"debug|info|warn|error" help:"least severe log lines"`
	LogFormat   string `env:"LOG_FORMAT" oneof:"text|json" help:"text, or json as in production"`
	AccessLog   bool   `env:"ACCESS_LOG" envDefault:"true" help:"one log line per HTTP request"`
	MetricsAddr string `env:"METRICS_ADDR" help:"address of a second listener with /metrics and, for callers from the same machine, /debug/pprof; empty opens none" eg:"127.0.0.1:9090"`

	// Rates are what RatesFile holds; nil without one.
	Rates *models.Rates `env:"-"`

	// Warnings are what Load found odd but not wrong, one sentence each.
	Warnings []string `env:"-"`
}

// Production tells whether the strict rules hold.
func (c *Config) Production() bool { return c.Env == "production" }

// Database is where the data is: a PostgreSQL URL or the path of a SQLite file.
func (c *Config) Database() string {
	if c.DatabaseURL != "" {
		return c.DatabaseURL.Reveal()
	}
	return filepath.Join(c.DataDir, "expenseflow.db")
}

// MakeSecret tells whether a missing JWT_SECRET is made and kept in DataDir.
func (c *Config) MakeSecret() bool {
	if c.JWTSecretAuto == "" {
		return !c.Production()
	}
	return c.JWTSecretAuto == "true"
}

// SecretFile is where a secret that the server made is kept.
func (c *Config) SecretFile() string { return filepath.Join(c.DataDir, "jwt_secret") }

// JSONLogs tells whether log lines are JSON.
func (c *Config) JSONLogs() bool {
	return c.LogFormat == "json" || (c.LogFormat == "" && c.Production())
}
