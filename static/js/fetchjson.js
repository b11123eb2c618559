/**
 * Fetches JSON and returns {response, answer}. It gives up when nothing has arrived for
 * patience milliseconds, however long the whole takes: a large answer on a slow line
 * comes through, and a dead line is noticed.
 */
export async function fetchJSON(url, init, patience) {
  const dead = new AbortController();
  let timer;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => dead.abort(), patience);
  };
  try {
    heard();
    const response = await fetch(url, { ...init, signal: dead.signal });
    return { response, answer: JSON.parse(await textOf(response, heard)) };
  } finally {
    clearTimeout(timer);
  }
}

async function textOf(response, heard) {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  const parts = [];
  for (let chunk = await reader?.read(); chunk && !chunk.done; chunk = await reader.read()) {
    heard();
    parts.push(decoder.decode(chunk.value, { stream: true }));
  }
  return parts.join('') + decoder.decode();
}
