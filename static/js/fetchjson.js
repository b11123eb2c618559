/** Reads an answer when all of it has arrived. */
class WholeText {
  #parts = [];

  take(text) {
    this.#parts.push(text);
  }

  finish() {
    return JSON.parse(this.#parts.join(''));
  }
}

/**
 * Fetches JSON and returns {response, answer}. It gives up when nothing has arrived for
 * patience milliseconds, however long the whole takes: a large answer on a slow line
 * comes through, and a dead line is noticed. The reader takes the text as it arrives, and
 * gives the answer when it is finished.
 */
export async function fetchJSON(url, init, patience, reader = new WholeText()) {
  const decoder = new TextDecoder();
  const response = await fetchParts(url, init, patience, (part) => reader.take(decoder.decode(part, { stream: true })));
  reader.take(decoder.decode());
  return { response, answer: reader.finish() };
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
