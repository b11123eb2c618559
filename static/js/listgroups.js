import { dayOfRow } from './days.js';
import { splitUpcoming } from './filter.js';

/** Upcoming entries are shown at once if they are no more than this. */
const fewUpcoming = 3;

/**
 * The groups of the list of entries: those of days to come, the soonest first, then
 * those of each day, of rows that are sorted by day, the newest first. A group is
 * {key, rows, all}: rows are shown, all are counted.
 *
 * open says whether upcoming entries are shown; without it, few of them are, and all if nothing else is there.
 */
export function groupsOf(rows, { now = Date.now(), open = null } = {}) {
  const { upcoming, past } = splitUpcoming(rows, now);
  const groups = upcoming.length > 0 ? [upcomingGroup(upcoming, open ?? (past.length === 0 || upcoming.length <= fewUpcoming))] : [];
  return [...groups, ...days(past)];
}

function upcomingGroup(all, open) {
  return { key: 'upcoming', all, rows: open ? all : [], dated: true, open };
}

function days(rows) {
  const groups = [];
  let start = 0;
  for (let i = 1; i <= rows.length; i++) {
    const day = dayOfRow(rows[start]);
    if (i === rows.length || dayOfRow(rows[i]) !== day) {
      const all = rows.slice(start, i);
      groups.push({ key: day, day, all, rows: all });
      start = i;
    }
  }
  return groups;
}
