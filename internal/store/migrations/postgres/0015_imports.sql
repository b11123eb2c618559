-- +goose Up
-- Files whose rows became expenses. See models.ImportState for state.
CREATE TABLE imports (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL,
    source     TEXT COLLATE "C" NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    created    BIGINT NOT NULL,
    skipped    BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    removed    BIGINT NOT NULL,
    kept       BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX imports_user ON imports (user_id, created_at);
CREATE INDEX imports_age ON imports (updated_at);

-- The rows of those files, by a hash that names each in every file.
CREATE TABLE imported_rows (
    user_id    TEXT COLLATE "C" NOT NULL,
    row_key    TEXT COLLATE "C" NOT NULL,
    import_id  TEXT COLLATE "C" NOT NULL,
    expense_id TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, row_key)
);
CREATE INDEX imported_rows_import ON imported_rows (import_id, row_key);
CREATE INDEX imported_rows_age ON imported_rows (created_at);

-- +goose Down
DROP TABLE imported_rows;
DROP TABLE imports;
