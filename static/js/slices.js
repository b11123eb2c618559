/** How many things are worked on at a time. */
const atOnce = 1_000;

/**
 * Works on a list in slices of a few milliseconds, then calls done: a key that is pressed
 * meanwhile is answered between two of them. Browsers would not begin while idle, but
 * half a second after a click.
 */
export function inSlices(list, work, done = () => {}, next = setTimeout) {
  const goOn = (start) => {
    work(list.slice(start, start + atOnce));
    start + atOnce < list.length ? next(() => goOn(start + atOnce)) : done();
  };
  next(() => goOn(0));
}
