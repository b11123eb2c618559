-- +goose Up
-- Sums are exact: whole units and millionths are added each for itself, since
-- one integer of millionths does not hold the sum of two largest amounts. They
-- follow the expenses in the same transaction, so that balances, budgets and
-- dashboards never read all of a user's expenses.

ALTER TABLE users ADD COLUMN income_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN income_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN budgets INTEGER NOT NULL DEFAULT 0;

-- day is the beginning of a UTC day.
CREATE TABLE daily_totals (
    user_id  TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day      INTEGER NOT NULL,
    category TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    units    INTEGER NOT NULL,
    micros   INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (user_id, day, category, type)
) WITHOUT ROWID;

INSERT INTO daily_totals (user_id, day, category, type, units, micros, count)
SELECT user_id, date - ((date % 86400000) + 86400000) % 86400000, category, type,
    SUM(amount / 1000000), SUM(amount % 1000000), COUNT(*)
FROM expenses GROUP BY 1, 2, 3, 4;

UPDATE users SET
    income_units = COALESCE((SELECT SUM(units) FROM daily_totals WHERE user_id = users.id AND type = 'income'), 0),
    income_micros = COALESCE((SELECT SUM(micros) FROM daily_totals WHERE user_id = users.id AND type = 'income'), 0),
    expense_units = COALESCE((SELECT SUM(units) FROM daily_totals WHERE user_id = users.id AND type = 'expense'), 0),
    expense_micros = COALESCE((SELECT SUM(micros) FROM daily_totals WHERE user_id = users.id AND type = 'expense'), 0);

-- window_from, window_to and spent are what was spent in the days that counted
-- when the user last wrote; level is the one that the user knows of.
CREATE TABLE budgets (
    id           TEXT    NOT NULL PRIMARY KEY,
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    category     TEXT    NOT NULL,
    amount       INTEGER NOT NULL,
    period       TEXT    NOT NULL,
    start_at     INTEGER,
    end_at       INTEGER,
    threshold    INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    window_from  INTEGER NOT NULL,
    window_to    INTEGER NOT NULL,
    spent_units  INTEGER NOT NULL,
    spent_micros INTEGER NOT NULL,
    level        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX budgets_user ON budgets (user_id);

CREATE TABLE notifications (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title      TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    type       TEXT    NOT NULL,
    priority   TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    read       INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX notifications_list ON notifications (user_id, created_at, id);
CREATE INDEX notifications_age ON notifications (created_at);

-- +goose Down
DROP TABLE notifications;
DROP TABLE budgets;
DROP TABLE daily_totals;
ALTER TABLE users DROP COLUMN budgets;
ALTER TABLE users DROP COLUMN unread;
ALTER TABLE users DROP COLUMN expense_micros;
ALTER TABLE users DROP COLUMN expense_units;
ALTER TABLE users DROP COLUMN income_micros;
ALTER TABLE users DROP COLUMN income_units;
