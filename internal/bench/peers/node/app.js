// The application peer: what a team would write with Express, Socket.IO and pg.
// Same routes and tables as far as the measurements touch them; nothing is
// de-duplicated and events are sent from memory, as in the original.
import { createServer } from "node:http";
import { randomBytes } from "node:crypto";
import express from "express";
import jwt from "jsonwebtoken";
import pg from "pg";
import { createClient } from "redis";
import { createAdapter } from "@socket.io/redis-adapter";
import { Server } from "socket.io";

const [host, port] = process.argv.at(-1).split(":");
const secret = process.env.JWT_SECRET;
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
pg.types.setTypeParser(20, Number);

// The first of two processes makes the tables; the second finds them.
const { rows: [{ exists }] } = await pool.query("SELECT to_regclass('peer.expenses') IS NOT NULL AS exists");
if (!process.env.REDIS_URL || !exists) await pool.query(`
  DROP SCHEMA IF EXISTS peer CASCADE;
  CREATE SCHEMA peer;
  CREATE TABLE peer.users (id text PRIMARY KEY, name text NOT NULL, email text UNIQUE NOT NULL);
  CREATE TABLE peer.expenses (
    id text PRIMARY KEY, user_id text NOT NULL REFERENCES peer.users, description text NOT NULL,
    amount double precision NOT NULL, category text NOT NULL, type text NOT NULL,
    date timestamptz NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL);
  CREATE INDEX ON peer.expenses (user_id, date DESC);`);

const app = express();
const http = createServer(app);
const io = new Server(http);
if (process.env.REDIS_URL) {
  const pub = createClient({ url: process.env.REDIS_URL });
  const sub = pub.duplicate();
  for (const client of [pub, sub]) client.on("error", () => {}); // it connects again by itself
  await Promise.all([pub.connect(), sub.connect()]);
  io.adapter(createAdapter(pub, sub));
}
const newID = () => randomBytes(12).toString("hex");

async function userOf(token) {
  const { id } = jwt.verify(token, secret);
  const { rows } = await pool.query("SELECT id, name, email FROM peer.users WHERE id = $1", [id]);
  if (rows.length === 0) throw new Error("unknown user");
  return rows[0];
}

async function auth(req, res, next) {
  try {
    req.user = await userOf((req.header("Authorization") ?? "").replace("Bearer ", ""));
    next();
  } catch {
    res.status(401).json({ error: "Invalid token." });
  }
}

const document = (row) => ({
  _id: row.id, user: row.user_id, description: row.description, amount: row.amount,
  category: row.category, type: row.type, date: row.date, createdAt: row.created_at, updatedAt: row.updated_at, __v: 0,
});

async function create(user, data) {
  const now = new Date();
  const { rows } = await pool.query(
    `INSERT INTO peer.expenses VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$8) RETURNING *`,
    [newID(), user, data.description, data.amount, data.category, data.type, data.date ?? now, now]);
  const expense = document(rows[0]);
  io.to(`user_${user}`).emit("expense_created", expense);
  return expense;
}

app.use(express.json({ limit: "10mb" }));
app.post("/api/auth/register", async (req, res) => {
  const user = { id: newID(), name: req.body.name, email: req.body.email };
  await pool.query("INSERT INTO peer.users VALUES ($1,$2,$3)", [user.id, user.name, user.email]);
  res.status(201).json({ token: jwt.sign({ id: user.id }, secret, { expiresIn: "7d" }), user });
});
app.get("/api/expenses", auth, async (req, res) => {
  const { rows } = await pool.query("SELECT * FROM peer.expenses WHERE user_id = $1 ORDER BY date DESC", [req.user.id]);
  res.json(rows.map(document));
});
app.post("/api/expenses", auth, async (req, res) => res.status(201).json(await create(req.user.id, req.body)));
app.post("/api/sync/batch", auth, async (req, res) => {
  const results = [];
  for (const op of req.body.operations) {
    try {
      results.push({ resourceId: op.resourceId, success: true, data: await create(req.user.id, op.data) });
    } catch (err) {
      results.push({ resourceId: op.resourceId, success: false, error: err.message });
    }
  }
  res.json({ results });
});

io.use(async (socket, next) => {
  try {
    socket.join(`user_${(await userOf(socket.handshake.auth.token)).id}`);
    next();
  } catch {
    next(new Error("Authentication error"));
  }
});

http.listen(Number(port), host, () => console.log("ready"));
