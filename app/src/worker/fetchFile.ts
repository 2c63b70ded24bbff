/** Fetches a file that lies beside the page, and says how far it is. */
import { InputError } from '../../../src/errors.ts';

/** How much of a file is here. */
export interface Fetched {
  done: number;
  /** Bytes of the file; 0 where the server does not say. */
  total: number;
}

export interface FetchOptions {
  signal?: AbortSignal;
  onProgress?(fetched: Fetched): void;
}

/** @throws InputError where the file is not beside the page, or the connection ends. */
export async function fetchFile(
  url: URL,
  what: string,
  { signal, onProgress }: FetchOptions = {},
): Promise<ArrayBuffer> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
    if (response.ok) return await read(response, onProgress);
  } catch (cause) {
    throw new InputError(`${what} could not be loaded from ${url.pathname}: check the connection and try again`, {
      cause,
    });
  }
  throw new InputError(
    `${what} could not be loaded from ${url.pathname} (${response.status}): the page is not installed completely`,
  );
}

async function read(response: Response, onProgress: FetchOptions['onProgress']): Promise<ArrayBuffer> {
  if (!onProgress || !response.body) return response.arrayBuffer();
  // A compressed answer names its compressed size.
  const total = response.headers.has('content-encoding') ? 0 : Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array[] = [];
  const reader = response.body.getReader();
  let done = 0;
  for (;;) {
    const { value } = await reader.read();
    if (!value) break;
    parts.push(value);
    done += value.length;
    onProgress({ done, total });
  }
  const bytes = new Uint8Array(done);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}
