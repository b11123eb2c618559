-- +goose Up
-- One process has the file: it tells nobody anything.
SELECT 1;

-- +goose Down
SELECT 1;
