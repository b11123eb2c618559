-- +goose Up
-- revocations counts how often a token of the user was signed out, and only grows:
-- who saw the same number before need not look a token up again.
ALTER TABLE users ADD COLUMN revocations INTEGER NOT NULL DEFAULT 0;

-- The name of a device is told to its own user alone: it goes from what other users'
-- devices did to expenses that are shared.
UPDATE changes SET device_id = '', token_id = '' WHERE device_id <> '' AND NOT EXISTS (
    SELECT 1 FROM devices d WHERE d.device_id = changes.device_id AND d.user_id = changes.user_id);

-- +goose Down
ALTER TABLE users DROP COLUMN revocations;
