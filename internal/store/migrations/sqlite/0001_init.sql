-- +goose Up
-- Times are whole milliseconds since 1970 UTC, amounts millionths of the
-- currency unit. Ids are 24 hex digits. Text that a device chose for itself
-- (device, temporary and resource ids) is escaped by the program, so that any
-- of it can be kept.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
    id               TEXT    NOT NULL PRIMARY KEY,
    name             TEXT    NOT NULL,
    email            TEXT    NOT NULL,
    password_hash    BLOB    NOT NULL,
    created_at       INTEGER NOT NULL,
    token_generation INTEGER NOT NULL DEFAULT 0,
    seq              INTEGER NOT NULL DEFAULT 0,
    log_start        INTEGER NOT NULL DEFAULT 0,
    last_synced_at   INTEGER NOT NULL DEFAULT 0,
    last_applied_at  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE revoked_tokens (
    token_key  TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX revoked_tokens_user ON revoked_tokens (user_id);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

CREATE TABLE expenses (
    id             TEXT    NOT NULL PRIMARY KEY,
    user_id        TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description    TEXT    NOT NULL,
    amount         INTEGER NOT NULL,
    category       TEXT    NOT NULL,
    type           TEXT    NOT NULL,
    date           INTEGER NOT NULL,
    currency       TEXT    NOT NULL,
    merchant       TEXT    NOT NULL,
    notes          TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    last_synced_at INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX expenses_list ON expenses (user_id, date, id);
CREATE INDEX expenses_pull ON expenses (user_id, last_synced_at);

-- One log per user, its seq without gaps. payload is the entity after the
-- change, so a reader needs no second look-up and a deletion keeps its last state.
CREATE TABLE changes (
    user_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seq       INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    entity_id TEXT    NOT NULL,
    payload   TEXT    NOT NULL,
    device_id TEXT    NOT NULL,
    token_id  TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;

-- The offline queue as the server keeps it and the idempotency record in one.
-- key is '' for an operation that cannot be told from its repetition.
CREATE TABLE operations (
    id            TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key           TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    action        TEXT    NOT NULL,
    resource_type TEXT    NOT NULL,
    resource_id   TEXT    NOT NULL,
    device_id     TEXT    NOT NULL,
    data          TEXT    NOT NULL,
    client_time   INTEGER,
    result        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;
-- key comes first: with user_id first, a planner that has not yet counted a busy
-- user's rows reads all of them instead of looking each key up.
CREATE UNIQUE INDEX operations_key ON operations (key, user_id) WHERE key <> '';
CREATE INDEX operations_parked ON operations (user_id, created_at, id) WHERE state = 'parked';
CREATE INDEX operations_age ON operations (updated_at);

CREATE TABLE aliases (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    temp_id    TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    expense_id TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (temp_id, user_id, device_id)
) WITHOUT ROWID;
CREATE INDEX aliases_age ON aliases (created_at);

CREATE TABLE devices (
    device_id  TEXT    NOT NULL,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    first_seen INTEGER NOT NULL,
    last_acted INTEGER NOT NULL,
    PRIMARY KEY (device_id, user_id)
) WITHOUT ROWID;
CREATE INDEX devices_user ON devices (user_id);

-- Expenses made by a plain POST that no queued operation has claimed yet.
CREATE TABLE posted_creates (
    expense_id  TEXT    NOT NULL PRIMARY KEY,
    user_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id   TEXT    NOT NULL,
    data_hash   TEXT    NOT NULL,
    received_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX posted_creates_claim ON posted_creates (data_hash, user_id, received_at);
CREATE INDEX posted_creates_age ON posted_creates (received_at);

-- +goose Down
DROP TABLE posted_creates;
DROP TABLE devices;
DROP TABLE aliases;
DROP TABLE operations;
DROP TABLE changes;
DROP TABLE expenses;
DROP TABLE revoked_tokens;
DROP TABLE users;
DROP TABLE meta;
