-- +goose Up
-- How many rows of a file were parked. Such a row has no expense_id in imported_rows.
ALTER TABLE imports ADD COLUMN parked BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE imports DROP COLUMN parked;
