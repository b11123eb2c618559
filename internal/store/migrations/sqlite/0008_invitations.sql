-- +goose Up
-- An expense is offered to an address; user_id, who offers it, is '' when that
-- account was removed. See models.InvitationState for state. From ends_at on, an
-- invitation in state gone is forgotten.
CREATE TABLE invitations (
    id         TEXT    NOT NULL PRIMARY KEY,
    user_id    TEXT    NOT NULL,
    expense_id TEXT    NOT NULL,
    email      TEXT    NOT NULL,
    role       TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_open ON invitations (expense_id, email) WHERE state <> 'withdrawn' AND state <> 'gone';
CREATE INDEX invitations_user ON invitations (user_id, email);
CREATE INDEX invitations_email ON invitations (email, state);
CREATE INDEX invitations_undelivered ON invitations (created_at) WHERE state = 'new' OR state = 'withdrawn';

-- What user_id decided about other_id: state is 'accepted' or 'blocked'.
CREATE TABLE contacts (
    user_id    TEXT    NOT NULL,
    other_id   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, other_id)
) WITHOUT ROWID;
CREATE INDEX contacts_other ON contacts (other_id);

-- Whoever has an expense of somebody today has accepted them.
INSERT INTO contacts (user_id, other_id, state, updated_at)
    SELECT s.user_id, e.user_id, 'accepted', MAX(s.updated_at) FROM shares s JOIN expenses e ON e.id = s.expense_id
    WHERE s.role <> '' GROUP BY s.user_id, e.user_id;

-- +goose Down
DROP TABLE contacts;
DROP TABLE invitations;
