-- +goose Up
-- The browser and the system of a device, by which people tell their devices apart.
ALTER TABLE user_devices ADD COLUMN client TEXT NOT NULL DEFAULT '';

-- Who caused a notification, by what they did to which expense, and how often: what they
-- do again is counted in the one that is not read yet.
ALTER TABLE notifications ADD COLUMN actor_id TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN expense_id TEXT NOT NULL DEFAULT '';
ALTER TABLE notifications ADD COLUMN times INTEGER NOT NULL DEFAULT 0;
CREATE INDEX notifications_unread ON notifications (user_id, actor_id, type) WHERE read = 0;

-- +goose Down
DROP INDEX notifications_unread;
ALTER TABLE notifications DROP COLUMN times;
ALTER TABLE notifications DROP COLUMN expense_id;
ALTER TABLE notifications DROP COLUMN actor_id;
ALTER TABLE user_devices DROP COLUMN client;
