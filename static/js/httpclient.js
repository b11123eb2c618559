import { base } from './base.js';
import { deviceZone } from './days.js';
import { fetchFile, fetchJSON } from './fetchjson.js';
import { text } from './text.js';

/** Milliseconds without a byte of an answer after which a request is aborted. */
const requestTimeout = 30_000;

/** The same for requests that send a file, or undo what one made. */
export const fileTimeout = 600_000;

/** An error status of the server. */
export class HttpError extends Error {
  /** @param {number} status @param {{error: string, code?: string, current?: object}} body @param {number} retryAfterMs */
  constructor(status, body, retryAfterMs) {
    super(body.error);
    Object.assign(this, { status, code: body.code, current: body.current, retryAfterMs });
  }
}

/** A 401 of the server: the token is no longer valid. */
export class Unauthorized extends HttpError {}

/** No answer, or one that is not from this server, such as a proxy's. */
export class Unreachable extends Error {
  constructor(cause) {
    super(text('error.unreachable'), { cause });
  }
}

/** Requests to the server's API, of one session or, without a token, of nobody. */
export class HttpClient {
  #token;
  #deviceId;

  constructor({ token = '', deviceId = '' } = {}) {
    this.#token = token;
    this.#deviceId = deviceId;
  }

  /** Has every later request use another token. */
  useToken(token) {
    this.#token = token;
  }

  /**
   * The answer to a request; an HttpError or Unreachable if it is refused or does not come. A Blob is sent as it is.
   * @param {{headers?: object, timeout?: number, reader?: object}} options a reader is as fetchJSON takes it
   */
  async request(method, path, body, options) {
    const { response, answer } = await this.#fetch(fetchJSON, method, path, body, options);
    if (!response.ok) {
      throw failure(response, answer);
    }
    return answer;
  }

  /** The file at path, with the name that the server gives it: {file, name}. Errors as those of request. */
  async download(path) {
    const { response, answer: file } = await this.#fetch(fetchFile, 'GET', path);
    if (!response.ok) {
      throw failure(response, await file.text().then(JSON.parse).catch(() => null));
    }
    const name = /^attachment; filename="([^"]+)"$/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
    if (!name) { // such as the form of a network that wants a sign-in
      throw new Unreachable('a file without a name');
    }
    return { file, name };
  }

  async #fetch(ask, method, path, body, { headers, timeout, reader } = {}) {
    const isFile = body instanceof Blob;
    try {
      return await ask(`${base}api${path}`, {
        method,
        headers: { ...this.#headers(isFile ? null : body), ...headers },
        body: isFile ? body : body && JSON.stringify(body),
        cache: 'no-store',
      }, timeout ?? (isFile ? fileTimeout : requestTimeout), reader);
    } catch (err) {
      throw new Unreachable(err);
    }
  }

  #headers(body) {
    return {
      ...(body && { 'Content-Type': 'application/json' }),
      ...(this.#token && { Authorization: `Bearer ${this.#token}` }),
      ...(this.#deviceId && { 'X-Device-Id': this.#deviceId }),
      'X-Time-Zone': deviceZone(),
    };
  }
}

// Only an error in this server's own format is trusted: a proxy's 401 must not end
// a session.
function failure(response, answer) {
  if (typeof answer?.error !== 'string') {
    return new Unreachable(`status ${response.status}`);
  }
  const kind = response.status === 401 ? Unauthorized : HttpError;
  return new kind(response.status, answer, (Number(response.headers.get('Retry-After')) || 0) * 1_000);
}
