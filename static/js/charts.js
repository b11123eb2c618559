/**
 * The layout of charts: numbers only, no drawing, so that it is tested without a
 * browser.
 */

/** The least length of a bar whose value is not zero. */
const thinnest = 2;

/**
 * Round numbers from 0 on, evenly apart, of which the last is max or more.
 * There are no more than most + 1 of them.
 */
export function ticks(max, most = 4) {
  if (!(max > 0)) {
    return [0];
  }
  const rough = max / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((n) => n * power >= rough * (1 - 1e-9)) * power;
  const steps = Math.ceil(max / step - 1e-9);
  return Array.from({ length: steps + 1 }, (_, i) => i * step);
}

/** A number as short as an axis needs it, in the reader's language. */
export function short(value) {
  return new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 }).format(value);
}

/**
 * The bars of spending by category, the largest first: {category, total, share,
 * y, width}, with share in percent, and the height that they take.
 */
export function categoryBars(byCategory, width, rowHeight) {
  const sorted = byCategory.filter((c) => c.total > 0).sort((a, b) => b.total - a.total);
  const largest = sorted[0]?.total ?? 0;
  const bars = sorted.map(({ category, total, percentage }, i) => ({
    category, total, share: percentage, y: i * rowHeight, width: bar(total, largest, width),
  }));
  return { bars, height: bars.length * rowHeight };
}

/**
 * The bars of what came in, above the line, and of what went out, below it, both
 * on one scale. points are {key, income, expense}; area is {left, top, width,
 * height}. Gives {zero, slots: [{key, x, width, up, down}], grid: [{y, value}]}:
 * up and down are the heights of a point's two bars.
 */
export function flowBars(points, area) {
  const most = (field) => Math.max(0, ...points.map((p) => p[field]));
  const { up, down } = scales(most('income'), most('expense'));
  const span = up.at(-1) + down.at(-1) || 1;
  const zero = area.top + (area.height * up.at(-1)) / span || area.top;
  const y = (value) => zero - (value * area.height) / span;
  const slot = area.width / Math.max(1, points.length);
  return {
    zero,
    slots: points.map((p, i) => ({
      key: p.key, x: area.left + i * slot, width: slot,
      up: bar(p.income, span, area.height), down: bar(p.expense, span, area.height),
    })),
    grid: [...up.slice(1).reverse().map((v) => ({ y: y(v), value: v })), { y: zero, value: 0 }, ...down.slice(1).map((v) => ({ y: y(-v), value: v }))],
  };
}

// Both sides step equally far, so that equal heights are equal amounts.
function scales(income, expense) {
  const steps = ticks(Math.max(income, expense, 0));
  const upTo = (max) => steps.slice(0, steps.findIndex((v) => v >= max - 1e-9) + 1);
  return { up: upTo(income), down: upTo(expense) };
}

function bar(value, largest, length) {
  return value > 0 ? Math.max(thinnest, (value / largest) * length) : 0;
}

/** Thins out n labels so that they fit beside each other; returns k: write every kth label. */
export function labelStep(n, width, labelWidth) {
  return Math.max(1, Math.ceil((n * labelWidth) / Math.max(1, width)));
}

/** Where the label of a bar stands: below its middle, or at the end, which the middle of the label is too close to. */
export function labelPlace({ x, width }, end, half = 22) {
  const middle = Math.round(x + width / 2);
  return middle + half > end ? { x: end, 'text-anchor': 'end' } : { x: middle, 'text-anchor': 'middle' };
}
