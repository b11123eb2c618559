-- +goose Up
-- What the processes that share this database tell each other. UNLOGGED, for it is of
-- running processes: after a crash and on a promoted standby the tables are empty, which
-- each process notices by its own row.

-- A row for each transaction and user whose log it moved.
CREATE UNLOGGED TABLE moved (
    xid          xid8             NOT NULL DEFAULT pg_current_xact_id(),
    user_id      TEXT COLLATE "C" NOT NULL
);
CREATE INDEX moved_xid ON moved (xid);

-- heartbeat_at is by the clock of this server. seen is the snapshot up to which the
-- process has read moved, or '': then moved keeps nothing for it. announced counts the
-- process's changes of present. One that has ended is no member any more, and its rows of
-- present count for a moment.
CREATE UNLOGGED TABLE processes (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    generation   BIGINT           NOT NULL,
    heartbeat_at BIGINT           NOT NULL,
    url          TEXT COLLATE "C" NOT NULL,
    version      TEXT COLLATE "C" NOT NULL,
    secret       TEXT COLLATE "C" NOT NULL,
    draining     BIGINT           NOT NULL,
    seen         TEXT COLLATE "C" NOT NULL,
    announced    BIGINT           NOT NULL DEFAULT 0,
    ended        BIGINT           NOT NULL DEFAULT 0
);

-- Who is present in a process: a device of the user whose room it is, or in the room of an
-- expense. A row counts while its process lives in this generation, and goes with it.
CREATE UNLOGGED TABLE present (
    process      TEXT COLLATE "C" NOT NULL REFERENCES processes (id) ON DELETE CASCADE,
    room         TEXT COLLATE "C" NOT NULL,
    user_id      TEXT COLLATE "C" NOT NULL,
    device_id    TEXT COLLATE "C" NOT NULL,
    user_name    TEXT COLLATE "C" NOT NULL,
    generation   BIGINT           NOT NULL,
    since        BIGINT           NOT NULL,
    sockets      BIGINT           NOT NULL,
    PRIMARY KEY (process, room, user_id, device_id)
);
CREATE INDEX present_room ON present (room);

-- +goose Down
DROP TABLE present;
DROP TABLE processes;
DROP TABLE moved;
