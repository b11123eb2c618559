import { Unreachable } from './httpclient.js';

/**
 * How the page is connected: `live`, `connecting` or `offline`. A connection that was cut is
 * noticed late, and earlier by a request that does not arrive.
 */
export function connectionState({ live, sync, onLine = globalThis.navigator.onLine }) {
  const isCut = sync.error instanceof Unreachable;
  if (live.connected && !isCut) {
    return 'live';
  }
  return onLine && !live.failed && !sync.error ? 'connecting' : 'offline';
}
