-- +goose Up
-- Which tokens a device uses, so that signing it out can refuse them.
CREATE TABLE user_devices (
    user_id    TEXT COLLATE "C" NOT NULL,
    device_id  TEXT COLLATE "C" NOT NULL,
    token_key  TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT           NOT NULL,
    first_seen BIGINT           NOT NULL,
    last_seen  BIGINT           NOT NULL,
    PRIMARY KEY (user_id, device_id, token_key)
);
CREATE INDEX user_devices_expiry ON user_devices (expires_at);

-- The rooms that a page joined, by its private session id: one that comes back
-- does not join them again. They are one JSON array of texts.
CREATE TABLE kept_rooms (
    session_key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id     TEXT COLLATE "C" NOT NULL,
    rooms       TEXT COLLATE "C" NOT NULL,
    updated_at  BIGINT           NOT NULL
);
CREATE INDEX kept_rooms_age ON kept_rooms (updated_at);
CREATE INDEX kept_rooms_user ON kept_rooms (user_id);

-- +goose Down
DROP TABLE kept_rooms;
DROP TABLE user_devices;
