/**
 * Fetches JSON and returns {response, answer}. It gives up when nothing has arrived for
 * patience milliseconds, however long the whole takes: a large answer on a slow line
 * comes through, and a dead line is noticed.
 */
export async function fetchJSON(url, init, patience) {
  const decoder = new TextDecoder();
  const parts = [];
  const response = await fetchParts(url, init, patience, (part) => parts.push(decoder.decode(part, { stream: true })));
  return { response, answer: JSON.parse(parts.join('') + decoder.decode()) };
}

/** The same for a file: {response, answer} with a Blob, whatever the status is. */
export async function fetchFile(url, init, patience) {
  const parts = [];
  const response = await fetchParts(url, init, patience, (part) => parts.push(part));
  return { response, answer: new Blob(parts, { type: response.headers.get('Content-Type') ?? '' }) };
}

async function fetchParts(url, init, patience, take) {
  const dead = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => dead.abort(), patience);
  };
  try {
    heard();
    const response = await fetch(url, { ...init, signal: dead.signal });
    await read(response, (part) => (heard(), take(part)));
    return response;
  } finally {
    clearTimeout(timer);
  }
}

async function read(response, take) {
  const reader = response.body?.getReader();
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader.read()) {
    take(chunk.value);
  }
}
