'use strict';

// Hosts unmodified socket.io-client devices that do nothing but listen.
//
// Reads one JSON command a line on stdin, {do: "open", device, url, options} or
// {do: "close", device}, and writes what a device notices as {device, note,
// args}: "connect" (recovered), "disconnect" (reason), "refused" (message), after
// which the client does not come back by itself, and "event" (name, arguments).
// The process ends when stdin does. socket.io-client is found by NODE_PATH.

const readline = require('node:readline');
const { io } = require('socket.io-client');

const sockets = new Map();

const commands = {
  open({ device, url, options }) {
    const say = (note, ...args) => process.stdout.write(JSON.stringify({ device, note, args }) + '\n');
    const socket = io(url, { forceNew: true, ...options });
    sockets.set(device, socket);
    socket.on('connect', () => say('connect', socket.recovered === true));
    socket.on('disconnect', (reason) => say('disconnect', reason));
    socket.on('connect_error', (err) => socket.active || say('refused', err.message));
    for (const name of ['expense_created', 'expense_updated', 'expense_deleted', 'presence:update']) {
      socket.on(name, (...args) => say('event', name, ...args));
    }
  },

  close({ device }) {
    sockets.get(device).disconnect();
    sockets.delete(device);
  },
};

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const command = JSON.parse(line);
    commands[command.do](command);
  })
  .on('close', () => process.exit(0));
