/** The one way to the Jupyter server: authenticated, with its XSRF token, errors as the four parts they have in Python. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

const ROOT = 'cloudml/v1';
const VERSION_HEADER = 'X-CloudML-Version';

/** What happened, why, and what to do next. */
export interface ErrorParts {
  reference: string;
  what: string;
  why: string;
  next: string;
}

/** A request that was refused or not answered; `status` is 0 where no answer came. */
export class RequestError extends Error implements ErrorParts {
  constructor(
    readonly status: number,
    readonly parts: ErrorParts
  ) {
    super(parts.what);
  }

  get reference(): string {
    return this.parts.reference;
  }
  get what(): string {
    return this.parts.what;
  }
  get why(): string {
    return this.parts.why;
  }
  get next(): string {
    return this.parts.next;
  }

  /** Whether the server half of the extension is not there at all. */
  get isServerMissing(): boolean {
    return this.reference === 'server-half-missing';
  }
}

export type Query = Record<string, string | number | undefined>;

/** Performs requests; remembers which version of the Python package answered. */
export class Requests {
  constructor(readonly settings: ServerConnection.ISettings = ServerConnection.makeSettings()) {}

  /** The version of the Python package, once it has answered. */
  serverVersion: string | null = null;

  /** The server's clock at its last answer, in seconds; NaN where it does not say. */
  serverTime = NaN;

  async get<T>(path: string, query: Query = {}): Promise<T> {
    return (await this.perform(path, query, { method: 'GET' })).json() as Promise<T>;
  }

  async post<T>(path: string, body: unknown = {}, query: Query = {}): Promise<T> {
    const init = body instanceof Blob ? { body } : { body: JSON.stringify(body) };
    return (await this.perform(path, query, { method: 'POST', ...init })).json() as Promise<T>;
  }

  /** An object's bytes, for a download. */
  async blob(path: string, query: Query = {}): Promise<Blob> {
    return (await this.perform(path, query, { method: 'GET' })).blob();
  }

  /** The address of something that is served beside the API, such as TensorBoard, under the server's base URL. */
  address(path: string): string {
    return URLExt.join(this.settings.baseUrl, path);
  }

  private async perform(path: string, query: Query, init: RequestInit): Promise<Response> {
    const known = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined);
    const address =
      URLExt.join(this.settings.baseUrl, ROOT, path) +
      URLExt.objectToQueryString(Object.fromEntries(known.map(([name, value]) => [name, String(value)])));
    let answer: Response;
    try {
      answer = await ServerConnection.makeRequest(address, { cache: 'no-store', ...init }, this.settings);
    } catch (problem) {
      throw new RequestError(0, {
        reference: 'server-unreachable',
        what: 'The Jupyter server does not answer.',
        why: problem instanceof Error ? problem.message : '',
        next: 'Check that it runs; this page asks again by itself.'
      });
    }
    this.serverVersion = answer.headers.get(VERSION_HEADER) ?? this.serverVersion;
    this.serverTime = Date.parse(answer.headers.get('Date') ?? '') / 1000;
    if (!answer.ok) {
      throw new RequestError(answer.status, await partsOf(answer));
    }
    return answer;
  }
}

async function partsOf(answer: Response): Promise<ErrorParts> {
  const body: unknown = await answer.json().catch(() => null);
  if (isParts(body)) {
    return body;
  }
  if (answer.status === 404) {
    return {
      reference: 'server-half-missing',
      what: 'The server half of cloudml-magic is not running.',
      why: 'This page has the lab extension, but the Jupyter server does not know its routes.',
      next: 'Run `pip install cloudml-magic` in the environment of the Jupyter server, then restart the server.'
    };
  }
  return {
    reference: 'request-failed',
    what: `The Jupyter server answered HTTP ${answer.status}.`,
    why: answer.statusText,
    next: answer.status === 403 ? 'Log in to the server again: reload this page.' : 'Look into the log of the Jupyter server.'
  };
}

function isParts(body: unknown): body is ErrorParts {
  return (
    typeof body === 'object' &&
    body !== null &&
    ['reference', 'what', 'why', 'next'].every(name => typeof (body as Record<string, unknown>)[name] === 'string')
  );
}
