-- +goose Up
-- Whoever writes rows of these tables holds the lock of their user's row, so the
-- foreign key was looked up once more for each of them and could not fail: work
-- that every batch paid for (docs/decisions/0008). Who removes a user
-- removes their rows.
--
-- SQLite changes a table's keys by making it anew.

ALTER TABLE expenses RENAME TO old_expenses;
CREATE TABLE expenses (
    id             TEXT    NOT NULL PRIMARY KEY,
    user_id        TEXT    NOT NULL,
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
INSERT INTO expenses SELECT * FROM old_expenses;
DROP TABLE old_expenses;
CREATE INDEX expenses_list ON expenses (user_id, date, id);
CREATE INDEX expenses_pull ON expenses (user_id, last_synced_at);

ALTER TABLE changes RENAME TO old_changes;
CREATE TABLE changes (
    user_id   TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    entity_id TEXT    NOT NULL,
    payload   TEXT    NOT NULL,
    device_id TEXT    NOT NULL,
    token_id  TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (user_id, seq)
) WITHOUT ROWID;
INSERT INTO changes SELECT * FROM old_changes;
DROP TABLE old_changes;

ALTER TABLE operations RENAME TO old_operations;
CREATE TABLE operations (
    id            TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL,
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
INSERT INTO operations SELECT * FROM old_operations;
DROP TABLE old_operations;
CREATE UNIQUE INDEX operations_key ON operations (key, user_id) WHERE key <> '';
CREATE INDEX operations_parked ON operations (user_id, created_at, id) WHERE state = 'parked';
CREATE INDEX operations_age ON operations (updated_at);

ALTER TABLE aliases RENAME TO old_aliases;
CREATE TABLE aliases (
    user_id    TEXT    NOT NULL,
    temp_id    TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    expense_id TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (temp_id, user_id, device_id)
) WITHOUT ROWID;
INSERT INTO aliases SELECT * FROM old_aliases;
DROP TABLE old_aliases;
CREATE INDEX aliases_age ON aliases (created_at);

-- +goose Down
ALTER TABLE aliases RENAME TO old_aliases;
CREATE TABLE aliases (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    temp_id    TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    expense_id TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (temp_id, user_id, device_id)
) WITHOUT ROWID;
INSERT INTO aliases SELECT * FROM old_aliases;
DROP TABLE old_aliases;
CREATE INDEX aliases_age ON aliases (created_at);

ALTER TABLE operations RENAME TO old_operations;
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
INSERT INTO operations SELECT * FROM old_operations;
DROP TABLE old_operations;
CREATE UNIQUE INDEX operations_key ON operations (key, user_id) WHERE key <> '';
CREATE INDEX operations_parked ON operations (user_id, created_at, id) WHERE state = 'parked';
CREATE INDEX operations_age ON operations (updated_at);

ALTER TABLE changes RENAME TO old_changes;
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
INSERT INTO changes SELECT * FROM old_changes;
DROP TABLE old_changes;

ALTER TABLE expenses RENAME TO old_expenses;
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
INSERT INTO expenses SELECT * FROM old_expenses;
DROP TABLE old_expenses;
CREATE INDEX expenses_list ON expenses (user_id, date, id);
CREATE INDEX expenses_pull ON expenses (user_id, last_synced_at);
