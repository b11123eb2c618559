-- +goose Up
-- The tags of an expense, one a line.
ALTER TABLE expenses ADD COLUMN tags TEXT COLLATE "C" NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE expenses DROP COLUMN tags;
