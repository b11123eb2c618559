/** The texts of the list of devices. */
export const devices = {
  'devices.title': 'Devices',
  'devices.unknown': 'Unknown browser',
  'devices.app': 'Another app',
  'devices.this': 'This device',
  'devices.online': 'Online now',
  'devices.seen': 'Last seen: {when}',
  'devices.since': 'Signed in: {when}',
  'devices.both': '{state} · {since}',
  'devices.offline': 'Not connected',
  'devices.sign.out': 'Sign out',
  'devices.sign.out.of': 'Sign out: {device}, signed in {when}',
  'devices.signed.out': '{device} is signed out.',
  'devices.others': 'Sign out all others',
  'devices.others.hint': 'They have to sign in again. What they have not sent yet stays on them.',
  'devices.others.done': 'All other devices are signed out.',
};
