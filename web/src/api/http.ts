/** REST: adds the token, renews it when the server refuses it, and turns every failure into an `ApiError`. */

import { ApiError, asApiError, errorFrom } from "./errors";
import { accessToken, refresh } from "./session";
import { fromServer, parseJson } from "./trust";

type Method = "GET" | "POST" | "PUT" | "DELETE";

export interface RequestOptions {
  body?: object;
  /** A form in place of a body, with files in it: it may take long. */
  form?: FormData;
  /** Bytes in place of a body: it may take long. */
  bytes?: Blob;
  query?: Record<string, string | number | undefined>;
  signal?: AbortSignal;
  /** Whether the answer may take long. */
  large?: boolean;
  /** Without a token: signing in. */
  anonymous?: boolean;
}

/** Longer than any answer takes; a connection that hangs is a lost one. */
const TIMEOUT_MS = 20_000;
/** The same for files. */
const FILE_TIMEOUT_MS = 3_600_000;

function urlOf(path: string, query: RequestOptions["query"]): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined) params.set(key, String(value));
  }
  const text = params.toString();
  return `/api/v1${path}${text === "" ? "" : `?${text}`}`;
}

async function once(
  method: Method,
  path: string,
  options: RequestOptions,
  token: string | undefined,
): Promise<Response> {
  const headers = new Headers({ Accept: "application/json" });
  if (token !== undefined) headers.set("Authorization", `Bearer ${token}`);
  if (options.body !== undefined) headers.set("Content-Type", "application/json");
  const large = options.form !== undefined || options.bytes !== undefined || options.large === true;
  const timeout = AbortSignal.timeout(large ? FILE_TIMEOUT_MS : TIMEOUT_MS);
  const body =
    options.form ?? options.bytes ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  try {
    return await fetch(urlOf(path, options.query), {
      method,
      headers,
      signal: options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]),
      ...(body === undefined ? {} : { body }),
    });
  } catch (error) {
    // An ended wish is not a failure: the query cache wants it as it is.
    if (options.signal?.aborted === true) throw error;
    throw asApiError(error);
  }
}

async function answered(method: Method, path: string, options: RequestOptions): Promise<Response> {
  if (options.anonymous === true) return once(method, path, options, undefined);
  const token = await accessToken();
  if (token === undefined) throw new ApiError("unauthenticated", "Not signed in");
  const response = await once(method, path, options, token);
  if (response.status !== 401) return response;
  const fresh = await refresh(token);
  if (fresh === undefined) return response;
  return once(method, path, options, fresh);
}

async function succeeded(method: Method, path: string, options: RequestOptions): Promise<unknown> {
  const response = await answered(method, path, options);
  let body: unknown;
  try {
    body = parseJson(await response.text());
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    throw asApiError(error);
  }
  if (response.ok) return body;
  throw errorFrom(body, response.status, response.headers.get("Retry-After"));
}

/** A request that is answered by an object. */
export async function request<T>(method: Method, path: string, options: RequestOptions = {}): Promise<T> {
  const body = await succeeded(method, path, options);
  // Something between us and the server answered in its place.
  if (!fromServer<T>(body)) throw new ApiError("unavailable", "The answer is not JSON");
  return body;
}

/** A request that is answered by nothing. */
export async function command(method: Method, path: string, options: RequestOptions = {}): Promise<void> {
  await succeeded(method, path, options);
}

/** The bytes of a file. */
export async function bytes(path: string): Promise<Blob> {
  const response = await answered("GET", path, { large: true });
  try {
    if (response.ok) return await response.blob();
    throw errorFrom(parseJson(await response.text()), response.status, response.headers.get("Retry-After"));
  } catch (error) {
    throw asApiError(error);
  }
}
