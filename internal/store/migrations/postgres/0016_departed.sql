-- +goose Up
-- When an account is deleted, its name goes from the notifications that it has caused.
CREATE INDEX notifications_actor ON notifications (actor_id) WHERE actor_id <> '';

-- +goose Down
DROP INDEX notifications_actor;
