-- +goose Up
-- received counts how often an expense was shared with the user, and only grows:
-- who has 0 needs no look into shares.
ALTER TABLE users ADD COLUMN received INTEGER NOT NULL DEFAULT 0;

-- shares is with how many users the owner shares the expense. traces is 1 if
-- there are or were shares, or comments, so that their rows have to go with it.
ALTER TABLE expenses ADD COLUMN shares INTEGER NOT NULL DEFAULT 0;
ALTER TABLE expenses ADD COLUMN traces INTEGER NOT NULL DEFAULT 0;

-- Whose role is '' had a right once: what their devices queued meanwhile is told
-- from what never was theirs.
CREATE TABLE shares (
    expense_id TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (expense_id, user_id)
) WITHOUT ROWID;
CREATE INDEX shares_user ON shares (user_id, expense_id);

CREATE TABLE activities (
    id         TEXT    NOT NULL PRIMARY KEY,
    expense_id TEXT    NOT NULL,
    user_id    TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    text       TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX activities_list ON activities (expense_id, created_at, id);
CREATE INDEX activities_user ON activities (user_id);

-- +goose Down
DROP TABLE activities;
DROP TABLE shares;
ALTER TABLE expenses DROP COLUMN traces;
ALTER TABLE expenses DROP COLUMN shares;
ALTER TABLE users DROP COLUMN received;
