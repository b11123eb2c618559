/** What an amount may be: see CONTRACT 4.2 and decision 11. */
export const smallestAmount = 0.01;
export const largestAmount = 9_000_000_000_000;

const perUnit = 1_000_000n; // amounts are counted in millionths, as the server counts them

/** A JSON amount as a whole number of millionths: sums stay exact. */
export function micros(amount) {
  const text = String(Math.abs(amount));
  if (text.includes('e')) {
    return BigInt(Math.round(amount)) * perUnit; // nobody's amount, but it may be parked
  }
  const [whole, fraction = ''] = text.split('.');
  const value = BigInt(whole) * perUnit + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  return amount < 0 ? -value : value;
}

/** Millionths as text in the reader's language, with the currency if there is one. */
export function money(value, currency = '') {
  const text = decimal(value);
  const digits = Math.max(2, text.split('.')[1]?.length ?? 0);
  const options = { minimumFractionDigits: 2, maximumFractionDigits: digits };
  return withCurrency(text, currency, options).replace('-', '−');
}

function withCurrency(text, currency, options) {
  if (currency.length !== 3) {
    return `${new Intl.NumberFormat(undefined, options).format(text)} ${currency}`.trim();
  }
  return new Intl.NumberFormat(undefined, { style: 'currency', currency, ...options }).format(text);
}

function decimal(value) {
  const digits = String(value < 0n ? -value : value).padStart(7, '0');
  const fraction = digits.slice(-6).replace(/0+$/, '');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -6)}${fraction && `.${fraction}`}`;
}

/** The sign the reader's language writes between whole and fraction. */
export function decimalSign() {
  return new Intl.NumberFormat().formatToParts(0.5).find((p) => p.type === 'decimal')?.value ?? '.';
}

/**
 * The number a person typed, or NaN. Both `12,50` and `12.50` are understood,
 * and thousands may be grouped; sign decides what `1,000` means.
 */
export function parseAmount(text, sign = decimalSign()) {
  const bare = text.replace(/[\s'’_]/g, '');
  const other = sign === ',' ? '.' : ',';
  const grouped = new RegExp(`^\\d{1,3}(\\${other}\\d{3})+(\\${sign}\\d*)?$`);
  const plain = grouped.test(bare) ? bare.replaceAll(other, '') : bare;
  return /^(\d+[.,]?\d*|[.,]\d+)$/.test(plain) ? Number(plain.replace(',', '.')) : NaN;
}

/** An amount as it stands in a form: plain digits, the reader's decimal sign. */
export function typedAmount(amount) {
  const text = String(amount);
  return (/\.\d$/.test(text) ? `${text}0` : text).replace('.', decimalSign());
}

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
