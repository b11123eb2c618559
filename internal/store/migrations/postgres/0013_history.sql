-- +goose Up
-- Who made a change of an expense, whose log it is in or not; '' in changes that are older.
ALTER TABLE changes ADD COLUMN actor_id TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The changes of one expense in a user's log: its history.
CREATE INDEX changes_entity ON changes (user_id, entity_id, seq);

-- +goose Down
DROP INDEX changes_entity;
ALTER TABLE changes DROP COLUMN actor_id;
