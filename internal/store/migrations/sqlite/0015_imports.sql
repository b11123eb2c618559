-- +goose Up
-- Files whose rows became expenses. See models.ImportState for state.
CREATE TABLE imports (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    skipped    INTEGER NOT NULL,
    refused    INTEGER NOT NULL,
    removed    INTEGER NOT NULL,
    kept       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX imports_user ON imports (user_id, created_at);
CREATE INDEX imports_age ON imports (updated_at);

-- The rows of those files, by a hash that names each in every file.
CREATE TABLE imported_rows (
    user_id    TEXT    NOT NULL,
    row_key    TEXT    NOT NULL,
    import_id  TEXT    NOT NULL,
    expense_id TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, row_key)
) WITHOUT ROWID;
CREATE INDEX imported_rows_import ON imported_rows (import_id, row_key);
CREATE INDEX imported_rows_age ON imported_rows (created_at);

-- +goose Down
DROP TABLE imported_rows;
DROP TABLE imports;
