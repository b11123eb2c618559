-- +goose Up
-- An import of an account makes more than expenses: kind says what, '' an expense, and version
-- is that of the entity when it was imported. changed counts what undoing an import leaves.
ALTER TABLE imports ADD COLUMN changed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE imported_rows ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE imported_rows ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE imported_rows DROP COLUMN version;
ALTER TABLE imported_rows DROP COLUMN kind;
ALTER TABLE imports DROP COLUMN changed;
