-- +goose Up
-- What waits for a person has a bound per user, in rows and in bytes: the size is of
-- what the client sent.
ALTER TABLE operations ADD COLUMN size BIGINT NOT NULL DEFAULT 0;
UPDATE operations SET size = octet_length(data) + octet_length(resource_id) + octet_length(device_id) WHERE state = 'parked';
CREATE INDEX operations_parked_size ON operations (user_id, size) WHERE state = 'parked';

-- How many expenses are the user's own: they have a bound, and a page of a list says
-- how many there are.
ALTER TABLE users ADD COLUMN expenses BIGINT NOT NULL DEFAULT 0;
UPDATE users SET expenses = (SELECT COUNT(*) FROM expenses WHERE user_id = users.id);

-- +goose Down
ALTER TABLE users DROP COLUMN expenses;
DROP INDEX operations_parked_size;
ALTER TABLE operations DROP COLUMN size;
