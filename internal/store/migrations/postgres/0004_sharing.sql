-- +goose Up
-- received counts how often an expense was shared with the user, and only grows:
-- who has 0 needs no look into shares.
ALTER TABLE users ADD COLUMN received BIGINT NOT NULL DEFAULT 0;

-- shares is with how many users the owner shares the expense. traces is 1 if
-- there are or were shares, or comments, so that their rows have to go with it.
ALTER TABLE expenses ADD COLUMN shares BIGINT NOT NULL DEFAULT 0;
ALTER TABLE expenses ADD COLUMN traces BIGINT NOT NULL DEFAULT 0;

-- Whose role is '' had a right once: what their devices queued meanwhile is told
-- from what never was theirs.
CREATE TABLE shares (
    expense_id       TEXT COLLATE "C" NOT NULL,
    user_id          TEXT COLLATE "C" NOT NULL,
    role             TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT           NOT NULL,
    updated_at       BIGINT           NOT NULL,
    PRIMARY KEY (expense_id, user_id)
);
CREATE INDEX shares_user ON shares (user_id, expense_id);

CREATE TABLE activities (
    id               TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    expense_id       TEXT COLLATE "C" NOT NULL,
    user_id          TEXT COLLATE "C" NOT NULL,
    type             TEXT COLLATE "C" NOT NULL,
    text             TEXT COLLATE "C" NOT NULL,
    created_at       BIGINT           NOT NULL
);
CREATE INDEX activities_list ON activities (expense_id, created_at, id);
CREATE INDEX activities_user ON activities (user_id);

-- +goose Down
DROP TABLE activities;
DROP TABLE shares;
ALTER TABLE expenses DROP COLUMN traces;
ALTER TABLE expenses DROP COLUMN shares;
ALTER TABLE users DROP COLUMN received;
