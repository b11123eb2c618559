-- +goose Up
-- Whoever writes rows of these tables holds the lock of their user's row, so the
-- foreign key was looked up once more for each of them and could not fail: work
-- that every batch paid for (docs/decisions/0008). Who removes a user
-- removes their rows.
ALTER TABLE expenses DROP CONSTRAINT expenses_user_id_fkey;
ALTER TABLE changes DROP CONSTRAINT changes_user_id_fkey;
ALTER TABLE operations DROP CONSTRAINT operations_user_id_fkey;
ALTER TABLE aliases DROP CONSTRAINT aliases_user_id_fkey;

-- +goose Down
ALTER TABLE expenses ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE changes ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE operations ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
ALTER TABLE aliases ADD FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE;
