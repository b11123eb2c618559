/** The day of an instant where the reader is, as YYYY-MM-DD. */
export function dayOf(instant) {
  const d = new Date(instant);
  const pad = (n, width) => String(n).padStart(width, '0');
  return `${pad(d.getFullYear(), 4)}-${pad(d.getMonth() + 1, 2)}-${pad(d.getDate(), 2)}`;
}

/** The instant that stands for a day: now if it is today, else its noon. */
export function instantOf(day, now = new Date()) {
  return day === dayOf(now) ? now.toISOString() : new Date(`${day}T12:00:00`).toISOString();
}

/** A day as a heading: Today, Yesterday, or its date in words. */
export function dayTitle(day, now = new Date()) {
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (day === dayOf(now)) {
    return 'Today';
  }
  if (day === dayOf(yesterday)) {
    return 'Yesterday';
  }
  const year = day.slice(0, 4) === dayOf(now).slice(0, 4) ? undefined : 'numeric';
  return new Date(`${day}T12:00:00`).toLocaleDateString(undefined, { weekday: 'short', day: 'numeric', month: 'long', year });
}

/** An instant as a person says it: Today, 14:03. */
export function moment(instant, now = new Date()) {
  const time = new Date(instant).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  return `${dayTitle(dayOf(instant), now)}, ${time}`;
}

/** `1 change`, `2 changes`. */
export function count(n, one, many = `${one}s`) {
  return `${n} ${n === 1 ? one : many}`;
}

/** A text of the contract, such as `"name" is required`, as a person would put it. */
export function sentence(text) {
  const plain = text.replace(/^"(\w+)"/, (_, field) => field[0].toUpperCase() + field.slice(1));
  return /[.!?]$/.test(plain) ? plain : `${plain}.`;
}
