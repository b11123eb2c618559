/** Calls end after some milliseconds, or as often again as isHeld says by then that somebody is at it. Returns what stops it. */
export function passing(ms, isHeld, end, timers = globalThis) {
  let timer;
  const wait = () => { timer = timers.setTimeout(() => (isHeld() ? wait() : end()), ms); };
  wait();
  return () => timers.clearTimeout(timer);
}
