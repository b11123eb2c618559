/** What the page says of its connection, and the server of itself. */
export const status = {
  'status.live': 'Live',
  'status.connecting': 'Connecting…',
  'status.offline': 'Offline',
  'status.waiting': { one: '{count} waiting', other: '{count} waiting' },
  'status.nothingkept': 'this browser cannot store anything: keep this page open until everything is sent',
  'status.degraded': 'Some things do not work at the moment. {message}',
  'status.shutting_down': 'The server is restarting. Your changes are kept on this device until it is back. {message}',
};
