-- +goose Up
-- Sums are exact: whole units and millionths are added each for itself, since
-- one integer of millionths does not hold the sum of two largest amounts. They
-- follow the expenses in the same transaction, so that balances, budgets and
-- dashboards never read all of a user's expenses.

ALTER TABLE users ADD COLUMN income_units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN income_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_units BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_micros BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN unread BIGINT NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN budgets BIGINT NOT NULL DEFAULT 0;

-- day is the beginning of a UTC day.
CREATE TABLE daily_totals (
    user_id  TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day      BIGINT           NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    units    BIGINT           NOT NULL,
    micros   BIGINT           NOT NULL,
    count    BIGINT           NOT NULL,
    PRIMARY KEY (user_id, day, category, type)
);

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
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    category     TEXT COLLATE "C" NOT NULL,
    amount       BIGINT           NOT NULL,
    period       TEXT COLLATE "C" NOT NULL,
    start_at     BIGINT,
    end_at       BIGINT,
    threshold    BIGINT           NOT NULL,
    version      BIGINT           NOT NULL,
    created_at   BIGINT           NOT NULL,
    updated_at   BIGINT           NOT NULL,
    window_from  BIGINT           NOT NULL,
    window_to    BIGINT           NOT NULL,
    spent_units  BIGINT           NOT NULL,
    spent_micros BIGINT           NOT NULL,
    level        BIGINT           NOT NULL
);
CREATE INDEX budgets_user ON budgets (user_id);

CREATE TABLE notifications (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title      TEXT COLLATE "C" NOT NULL,
    message    TEXT COLLATE "C" NOT NULL,
    type       TEXT COLLATE "C" NOT NULL,
    priority   TEXT COLLATE "C" NOT NULL,
    data       TEXT COLLATE "C" NOT NULL,
    read       BIGINT           NOT NULL,
    created_at BIGINT           NOT NULL
);
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
