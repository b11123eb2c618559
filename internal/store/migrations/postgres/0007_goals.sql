-- +goose Up
-- milestones is a JSON array. A goal's amount is moved by its own requests alone.
CREATE TABLE goals (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id       TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title         TEXT COLLATE "C" NOT NULL,
    description   TEXT COLLATE "C" NOT NULL,
    target        BIGINT NOT NULL,
    current_value BIGINT NOT NULL,
    type          TEXT COLLATE "C" NOT NULL,
    category      TEXT COLLATE "C" NOT NULL,
    target_date   BIGINT NOT NULL,
    priority      TEXT COLLATE "C" NOT NULL,
    status        TEXT COLLATE "C" NOT NULL,
    reminder      TEXT COLLATE "C" NOT NULL,
    milestones    TEXT COLLATE "C" NOT NULL,
    version       BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL
);
CREATE INDEX goals_user ON goals (user_id);

-- settings is one JSON object. Who has no row has the defaults. alerted_at is when
-- a user who wants to hear of budgets once a day or a week last did, or 0.
CREATE TABLE notification_preferences (
    user_id    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    settings   TEXT COLLATE "C" NOT NULL,
    alerted_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE notification_preferences;
DROP TABLE goals;
