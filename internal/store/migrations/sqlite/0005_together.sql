-- +goose Up
-- Which tokens a device uses, so that signing it out can refuse them.
CREATE TABLE user_devices (
    user_id    TEXT    NOT NULL,
    device_id  TEXT    NOT NULL,
    token_key  TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen  INTEGER NOT NULL,
    PRIMARY KEY (user_id, device_id, token_key)
) WITHOUT ROWID;
CREATE INDEX user_devices_expiry ON user_devices (expires_at);

-- The rooms that a page joined, by its private session id: one that comes back
-- does not join them again. They are one JSON array of texts.
CREATE TABLE kept_rooms (
    session_key TEXT    NOT NULL PRIMARY KEY,
    user_id     TEXT    NOT NULL,
    rooms       TEXT    NOT NULL,
    updated_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX kept_rooms_age ON kept_rooms (updated_at);
CREATE INDEX kept_rooms_user ON kept_rooms (user_id);

-- +goose Down
DROP TABLE kept_rooms;
DROP TABLE user_devices;
