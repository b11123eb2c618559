import { sentence } from './format.js';
import { text } from './text.js';

/** What the dialog of people says of those with whom an entry is shared: its lists, in words, and why an address is refused. */

/** The roles that an owner gives. */
export const roles = ['viewer', 'editor'];

export function roleLabel(role) {
  return [...roles, 'owner'].includes(role) ? text(`people.${role}`) : role;
}

/** The owner and the members: {id, name, email, role, shown}, where shown says which is the reader. */
export function membersOf({ owner, sharedWith }, me) {
  return [{ ...owner, role: 'owner' }, ...sharedWith]
    .map((m) => ({ ...m, shown: m.id === me ? text('people.self', m) : m.name }));
}

/** Who looks at the entry now; the reader first. */
export function presentText(present, me) {
  if (present.length === 0) {
    return '';
  }
  const meFirst = [...present].sort((a, b) => Number(b.id === me) - Number(a.id === me));
  const names = meFirst.map(({ id, name, devices }) => {
    const shown = id === me ? text('people.you') : name;
    return devices > 1 ? text('people.with.devices', { name: shown, count: devices }) : shown;
  });
  return text('people.here', { names: names.join(', ') });
}

/**
 * Why an address is not sent to the server, by what the owner, whose address is own, sees anyway; '' if it is.
 * Somebody who has the entry, or is invited, is refused only if the role is the same.
 */
export function addressFault(email, role, sharing, own) {
  const address = email.toLowerCase();
  if (!email.includes('@')) {
    return text('people.email.missing');
  }
  if (address === own) {
    return text('people.email.self');
  }
  const member = sharing?.sharedWith.find((m) => m.email === address && m.role === role);
  if (member) {
    return text('people.email.shared', member);
  }
  return sharing?.invited?.some((i) => i.email === address && i.role === role) ? text('people.email.invited') : '';
}

/** Whether somebody with this address has the entry, or is invited to it. */
export function isListed(sharing, email) {
  const address = email.toLowerCase();
  return [...(sharing?.sharedWith ?? []), ...(sharing?.invited ?? [])].some((one) => one.email === address);
}

const refusals = ['SHARE_SELF', 'SHARE_LIMIT', 'INVITATION_LIMIT'];

/** Why the server refused an address, which it says only where that tells nothing of others. */
export function refusalText({ code, message }) {
  return refusals.includes(code) ? text(`people.refused.${code}`) : sentence(message);
}
