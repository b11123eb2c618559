-- +goose Up
-- Times are whole milliseconds since 1970 UTC, amounts millionths of the
-- currency unit. Ids are 24 hex digits. Text that a device chose for itself
-- (device, temporary and resource ids) is escaped by the program, so that any
-- of it can be kept.

CREATE TABLE meta (
    key              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value            TEXT COLLATE "C" NOT NULL
);

CREATE TABLE users (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name             TEXT COLLATE "C" NOT NULL,
    email            TEXT COLLATE "C" NOT NULL,
    password_hash    BYTEA            NOT NULL,
    created_at       BIGINT           NOT NULL,
    token_generation BIGINT           NOT NULL DEFAULT 0,
    seq              BIGINT           NOT NULL DEFAULT 0,
    log_start        BIGINT           NOT NULL DEFAULT 0,
    last_synced_at   BIGINT           NOT NULL DEFAULT 0,
    last_applied_at  BIGINT           NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE revoked_tokens (
    token_key        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at       BIGINT           NOT NULL
);
CREATE INDEX revoked_tokens_user ON revoked_tokens (user_id);
CREATE INDEX revoked_tokens_expiry ON revoked_tokens (expires_at);

CREATE TABLE expenses (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    description      TEXT COLLATE "C" NOT NULL,
    amount           BIGINT           NOT NULL,
    category         TEXT COLLATE "C" NOT NULL,
    type             TEXT COLLATE "C" NOT NULL,
    date             BIGINT           NOT NULL,
    currency         TEXT COLLATE "C" NOT NULL,
    merchant         TEXT COLLATE "C" NOT NULL,
    notes            TEXT COLLATE "C" NOT NULL,
    version          BIGINT           NOT NULL,
    last_synced_at   BIGINT           NOT NULL,
    created_at       BIGINT           NOT NULL,
    updated_at       BIGINT           NOT NULL
);
CREATE INDEX expenses_list ON expenses (user_id, date, id);
CREATE INDEX expenses_pull ON expenses (user_id, last_synced_at);

-- One log per user, its seq without gaps. payload is the entity after the
-- change, so a reader needs no second look-up and a deletion keeps its last state.
CREATE TABLE changes (
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    seq              BIGINT           NOT NULL,
    kind             TEXT COLLATE "C" NOT NULL,
    entity_id        TEXT COLLATE "C" NOT NULL,
    payload          TEXT COLLATE "C" NOT NULL,
    device_id        TEXT COLLATE "C" NOT NULL,
    token_id         TEXT COLLATE "C" NOT NULL,
    at               BIGINT           NOT NULL,
    PRIMARY KEY (user_id, seq)
);

-- The offline queue as the server keeps it and the idempotency record in one.
-- key is '' for an operation that cannot be told from its repetition.
CREATE TABLE operations (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key              TEXT COLLATE "C" NOT NULL,
    state            TEXT COLLATE "C" NOT NULL,
    action           TEXT COLLATE "C" NOT NULL,
    resource_type    TEXT COLLATE "C" NOT NULL,
    resource_id      TEXT COLLATE "C" NOT NULL,
    device_id        TEXT COLLATE "C" NOT NULL,
    data             TEXT COLLATE "C" NOT NULL,
    client_time      BIGINT,
    result           TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT           NOT NULL,
    updated_at       BIGINT           NOT NULL
);
-- key comes first: with user_id first, a planner that has not yet counted a busy
-- user's rows reads all of them instead of looking each key up.
CREATE UNIQUE INDEX operations_key ON operations (key, user_id) WHERE key <> '';
CREATE INDEX operations_parked ON operations (user_id, created_at, id) WHERE state = 'parked';
CREATE INDEX operations_age ON operations (updated_at);

CREATE TABLE aliases (
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    temp_id          TEXT COLLATE "C" NOT NULL,
    device_id        TEXT COLLATE "C" NOT NULL,
    expense_id       TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT           NOT NULL,
    PRIMARY KEY (temp_id, user_id, device_id)
);
CREATE INDEX aliases_age ON aliases (created_at);

CREATE TABLE devices (
    device_id        TEXT COLLATE "C" NOT NULL,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    first_seen       BIGINT           NOT NULL,
    last_acted       BIGINT           NOT NULL,
    PRIMARY KEY (device_id, user_id)
);
CREATE INDEX devices_user ON devices (user_id);

-- Expenses made by a plain POST that no queued operation has claimed yet.
CREATE TABLE posted_creates (
    expense_id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id          TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device_id        TEXT COLLATE "C" NOT NULL,
    data_hash        TEXT COLLATE "C" NOT NULL,
    received_at      BIGINT           NOT NULL
);
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
