-- +goose Up
-- day is a calendar day, in days since 1970-01-01. An expense keeps its own beside
-- its moment, so that a change of the account's zone moves no earlier one; rows
-- that were there get that of UTC, by which they were counted until now.
ALTER TABLE expenses ADD COLUMN day INTEGER NOT NULL DEFAULT 0;
UPDATE expenses SET day = (date - ((date % 86400000) + 86400000) % 86400000) / 86400000;

-- Sums are kept by the currency that entries name, '' where they name none: a
-- change of the account's currency moves none of them.
CREATE TABLE new_daily_totals (
    user_id  TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day      INTEGER NOT NULL,
    category TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    units    INTEGER NOT NULL,
    micros   INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (user_id, day, category, type, currency)
) WITHOUT ROWID;
INSERT INTO new_daily_totals (user_id, day, category, type, currency, units, micros, count)
SELECT user_id, day, category, type, currency, SUM(amount / 1000000), SUM(amount % 1000000), COUNT(*)
FROM expenses GROUP BY 1, 2, 3, 4, 5;
DROP TABLE daily_totals;
ALTER TABLE new_daily_totals RENAME TO daily_totals;

-- totals has the user's sums in the same way, as JSON: {currency: [units and
-- millionths of the income, of what was spent, count of entries]}. They are read
-- and written with the user's row by every change.
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN currency TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN totals TEXT NOT NULL DEFAULT '{}';
UPDATE users SET totals = t.totals FROM (
    SELECT user_id, json_group_object(currency, json_array(income_units, income_micros, expense_units, expense_micros, count)) AS totals
    FROM (
        SELECT user_id, currency,
            SUM(CASE type WHEN 'income' THEN units ELSE 0 END) AS income_units,
            SUM(CASE type WHEN 'income' THEN micros ELSE 0 END) AS income_micros,
            SUM(CASE type WHEN 'income' THEN 0 ELSE units END) AS expense_units,
            SUM(CASE type WHEN 'income' THEN 0 ELSE micros END) AS expense_micros,
            SUM(count) AS count
        FROM daily_totals GROUP BY 1, 2
    ) s GROUP BY user_id
) t WHERE t.user_id = users.id;
ALTER TABLE users DROP COLUMN income_units;
ALTER TABLE users DROP COLUMN income_micros;
ALTER TABLE users DROP COLUMN expense_units;
ALTER TABLE users DROP COLUMN expense_micros;

-- A budget is in the account's currency, INR until that is set. What was spent is
-- added up anew here, without the expenses of others, and the level follows it
-- without an alert: 0, 1 from the threshold on, 2 above the amount.
ALTER TABLE budgets ADD COLUMN start_day INTEGER;
ALTER TABLE budgets ADD COLUMN end_day INTEGER;
UPDATE budgets SET
    start_day = (start_at - ((start_at % 86400000) + 86400000) % 86400000) / 86400000,
    end_day = (end_at - ((end_at % 86400000) + 86400000) % 86400000) / 86400000,
    window_from = window_from / 86400000,
    window_to = window_to / 86400000;
UPDATE budgets SET spent_units = 0, spent_micros = 0;
UPDATE budgets SET spent_units = t.units, spent_micros = t.micros FROM (
    SELECT b.id, SUM(d.units) AS units, SUM(d.micros) AS micros FROM budgets b
    JOIN daily_totals d ON d.user_id = b.user_id AND d.type = 'expense' AND d.day >= b.window_from AND d.day < b.window_to
        AND d.currency IN ('', 'INR') AND (b.category = 'all' OR d.category = b.category)
    GROUP BY b.id
) t WHERE t.id = budgets.id;
UPDATE budgets SET spent_units = spent_units + spent_micros / 1000000, spent_micros = spent_micros % 1000000;
UPDATE budgets SET level = CASE
    WHEN (spent_units, spent_micros) > (amount / 1000000, amount % 1000000) THEN level
    WHEN (spent_units, spent_micros) >= (
        (amount / 100 * threshold + (amount % 100 * threshold + 99) / 100) / 1000000,
        (amount / 100 * threshold + (amount % 100 * threshold + 99) / 100) % 1000000) THEN MIN(level, 1)
    ELSE 0 END;

-- +goose Down
ALTER TABLE budgets DROP COLUMN end_day;
ALTER TABLE budgets DROP COLUMN start_day;
UPDATE budgets SET window_from = window_from * 86400000, window_to = window_to * 86400000;
CREATE TABLE old_daily_totals (
    user_id  TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    day      INTEGER NOT NULL,
    category TEXT    NOT NULL,
    type     TEXT    NOT NULL,
    units    INTEGER NOT NULL,
    micros   INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (user_id, day, category, type)
) WITHOUT ROWID;
INSERT INTO old_daily_totals (user_id, day, category, type, units, micros, count)
SELECT user_id, date - ((date % 86400000) + 86400000) % 86400000, category, type,
    SUM(amount / 1000000), SUM(amount % 1000000), COUNT(*)
FROM expenses GROUP BY 1, 2, 3, 4;
DROP TABLE daily_totals;
ALTER TABLE old_daily_totals RENAME TO daily_totals;
ALTER TABLE users DROP COLUMN totals;
ALTER TABLE users DROP COLUMN currency;
ALTER TABLE users DROP COLUMN time_zone;
ALTER TABLE users ADD COLUMN income_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN income_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_units INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN expense_micros INTEGER NOT NULL DEFAULT 0;
UPDATE users SET
    income_units = COALESCE((SELECT SUM(units) FROM daily_totals WHERE user_id = users.id AND type = 'income'), 0),
    income_micros = COALESCE((SELECT SUM(micros) FROM daily_totals WHERE user_id = users.id AND type = 'income'), 0),
    expense_units = COALESCE((SELECT SUM(units) FROM daily_totals WHERE user_id = users.id AND type = 'expense'), 0),
    expense_micros = COALESCE((SELECT SUM(micros) FROM daily_totals WHERE user_id = users.id AND type = 'expense'), 0);
ALTER TABLE expenses DROP COLUMN day;
