-- +goose Up
-- milestones is a JSON array. A goal's amount is moved by its own requests alone.
CREATE TABLE goals (
    id            TEXT NOT NULL PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title         TEXT NOT NULL,
    description   TEXT NOT NULL,
    target        INTEGER NOT NULL,
    current_value INTEGER NOT NULL,
    type          TEXT NOT NULL,
    category      TEXT NOT NULL,
    target_date   INTEGER NOT NULL,
    priority      TEXT NOT NULL,
    status        TEXT NOT NULL,
    reminder      TEXT NOT NULL,
    milestones    TEXT NOT NULL,
    version       INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX goals_user ON goals (user_id);

-- settings is one JSON object. Who has no row has the defaults. alerted_at is when
-- a user who wants to hear of budgets once a day or a week last did, or 0.
CREATE TABLE notification_preferences (
    user_id    TEXT NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    settings   TEXT NOT NULL,
    alerted_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE notification_preferences;
DROP TABLE goals;
