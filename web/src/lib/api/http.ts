// The one place that speaks to the server. Knows no page; answers with data or throws a `Problem`.
import type { Answer, Body, Endpoint, Query, With } from "./call.ts";
import { Problem, problemOf } from "./problem.ts";
import { readToken } from "./token.ts";

/** Milliseconds until a question counts as unanswered: the slowest board lists 100 000 names. */
const ANSWER_MS_MAX = 60_000;

/** The values in an address; a list is its name as often as it has values. */
type Values = Record<string, string | number | readonly string[] | undefined>;

/** What the pages want to hear of. They set these; nothing here knows what is done with them. */
export const hooks = {
  /** The server answered, or could not be reached. */
  onReach: (() => undefined) as (isThere: boolean) => void,
  /**
   * The session with this token is over. Resolves when there is another one, and the question is
   * asked again; rejects when there will be none.
   */
  signInAgain: (() => Promise.reject(new Problem("signedOut", "The session is over"))) as (
    token: string | null,
  ) => Promise<void>,
  /** The role wants a second factor that is not there: nothing else will be answered until it is. */
  onSecondFactorNeeded: (() => undefined) as () => void,
  /** By whose session it is asked; a guest's page has none. */
  token: readToken,
};

/** `GET`s JSON. */
export function get<P extends With<"get">>(
  path: P,
  query: Query<P> | Record<string, never> = {},
  signal?: AbortSignal,
): Promise<Answer<P, "get">> {
  return ask(path, query, { method: "GET" }, signal, readJson<Answer<P, "get">>);
}

/** `GET`s JSON from an address that was made elsewhere: a guest's lies under the link. */
export function getAt<T>(address: string, signal?: AbortSignal): Promise<T> {
  return inSession(() => within(address, { method: "GET" }, signal, readJson<T>));
}

/** `POST`s JSON to such an address and gets JSON; no session is asked for where it is refused. */
export function postAt<T>(address: string, body: object): Promise<T> {
  return within(address, jsonOf(body), undefined, readJson<T>);
}

/** Whether the server is up; asks nothing else of it and tells nobody. */
export async function isUp(): Promise<boolean> {
  // Any answer will do: "too soon" is one, too.
  const answer = await fetch("/api/is_up", { cache: "no-store" }).catch(() => undefined);
  return answer !== undefined && answer.status < 502;
}

/** The beginning of an answer, as text: the rest is not waited for. `isWhole` when that is all. */
export async function getSome(
  path: Endpoint,
  query: Values,
  bytesMax: number,
  signal: AbortSignal,
): Promise<{ text: string; isWhole: boolean }> {
  return ask(path, query, { method: "GET" }, signal, async (answer) => {
    const reader = answer.body?.getReader();
    const decoder = new TextDecoder();
    let [text, bytes] = ["", 0];
    while (reader) {
      const { done, value } = await reader.read();
      if (done) break;
      bytes += value.length;
      text += decoder.decode(value, { stream: true });
      if (bytes < bytesMax) continue;
      await reader.cancel();
      return { text, isWhole: false };
    }
    return { text, isWhole: true };
  });
}

/** What an address answers to an element that shows it: an image that fails does not tell why. */
export async function lookAt(address: string, signal: AbortSignal): Promise<{ status: number; fields: Headers }> {
  const answer = await fetch(address, { headers: credentials(), signal });
  await answer.body?.cancel();
  return { status: answer.status, fields: answer.headers };
}

/** A picture, or what was answered in its place. */
export async function getPicture(
  address: string,
  signal: AbortSignal,
): Promise<{ status: number; fields: Headers; picture: Blob | undefined }> {
  const answer = await fetch(address, { headers: credentials(), signal });
  const { ok, status, headers: fields } = answer;
  if (ok) return { status, fields, picture: await answer.blob() };
  await answer.body?.cancel();
  return { status, fields, picture: undefined };
}

/** `POST`s JSON and gets JSON. */
export function post<P extends With<"post">>(
  path: P,
  body: Body<P>,
  signal?: AbortSignal,
): Promise<Answer<P, "post">> {
  return ask(path, {}, jsonOf(body), signal, readJson<Answer<P, "post">>);
}

function jsonOf(body: unknown): RequestInit {
  return { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/** `POST`s bytes of a type of their own. */
export function postBytes(
  path: Endpoint,
  query: Values,
  body: Blob,
  fields: Record<string, string>,
  signal?: AbortSignal,
): Promise<void> {
  const init = { method: "POST", headers: { "Content-Type": body.type, ...fields }, body };
  return ask(path, query, init, signal, readJson<undefined>);
}

/** Asks for the header fields alone. */
export function head<P extends With<"get">>(path: P, query: Query<P>, signal?: AbortSignal): Promise<Headers> {
  return ask(path, query, { method: "HEAD" }, signal, (answer) => Promise.resolve(answer.headers));
}

/** Some bytes of a file, from where it comes; fewer where it ends before that. */
export function readPart(address: string, from: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
  const headers = { Range: `bytes=${from}-${from + length - 1}` };
  const read = (answer: Response) => readBytes(answer, answer.status === 206 ? 0 : from, length);
  return inSession(() => within(address, { headers }, signal, read));
}

/** The file at an address, whole. `limitMs`: how long that may take where it is no sign of a larder that is away. */
export function readBlob(address: string, signal?: AbortSignal, limitMs?: number): Promise<Blob> {
  return inSession(() => within(address, {}, signal, (answer) => answer.blob(), address, limitMs));
}

/** Reads an answer's bytes from a place on, and no more than are wanted, whatever it sends. */
async function readBytes(answer: Response, skip: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const reader = answer.body?.getReader();
  let [seen, kept] = [0, 0];
  while (reader && kept < length) {
    const { done, value } = await reader.read();
    if (done) break;
    const own = value.subarray(Math.max(0, skip - seen)).subarray(0, length - kept);
    bytes.set(own, kept);
    kept += own.length;
    seen += value.length;
  }
  await reader?.cancel();
  return bytes.subarray(0, kept);
}

/** What is sent with its bytes counted. */
export interface Sending {
  method: "POST" | "PATCH";
  address: string;
  fields: Record<string, string>;
  /** The browser reads it while it goes; it is never in memory as a whole. */
  body: Blob | undefined;
  /** Bytes of the body that are on their way. */
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

/** An answer, whatever its status. */
export interface Answered {
  status: number;
  text: string;
  field: (name: string) => string | null;
}

/** Sends bytes, telling how far it got. `read` makes of the answer what is wanted, or throws. */
export function send<T>(sending: Sending, read: (answer: Answered) => T): Promise<T> {
  return inSession(async () => read(await sendOnce(sending)));
}

function sendOnce({ method, address, fields, body, onProgress, signal }: Sending): Promise<Answered> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    // `fetch` does not tell how far it got.
    const request = new XMLHttpRequest();
    request.open(method, address);
    for (const [name, value] of Object.entries({ ...fields, ...credentials() })) {
      request.setRequestHeader(name, value);
    }
    const abort = () => request.abort();
    request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => {
      hooks.onReach(true);
      const { status, responseText } = request;
      resolve({ status, text: responseText, field: (name) => request.getResponseHeader(name) });
    };
    request.onerror = () => {
      hooks.onReach(false);
      reject(new Problem("away", "The connection broke off"));
    };
    request.onabort = () => reject(new DOMException("Cancelled", "AbortError"));
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    request.send(body ?? null);
  });
}

/** The header fields of an answer to `HEAD` at an address; `beside` tells why, where it is refused. */
export function headAt(address: string, beside: string, signal?: AbortSignal): Promise<Headers> {
  const read = (answer: Response) => Promise.resolve(answer.headers);
  return inSession(() => within(address, { method: "HEAD" }, signal, read, beside));
}

/** Asks WebDAV about what is at an address, and not about what is in it. */
export function askItself(address: string, signal?: AbortSignal): Promise<void> {
  const init = { method: "PROPFIND", headers: { Depth: "0" } };
  return inSession(() => within(address, init, signal, (answer) => answer.body?.cancel() ?? Promise.resolve()));
}

/** Removes what is at an address. */
export function removeAt(address: string): Promise<void> {
  return inSession(() => within(address, { method: "DELETE" }, undefined, () => Promise.resolve()));
}

/** Does it, and again in the next session where this one is over. */
async function inSession<T>(action: () => Promise<T>): Promise<T> {
  for (;;) {
    const token = hooks.token();
    try {
      return await action();
    } catch (cause) {
      if (!(cause instanceof Problem)) throw cause;
      if (cause.kind === "secondFactorNeeded") hooks.onSecondFactorNeeded();
      if (cause.kind !== "signedOut") throw cause;
      await hooks.signInAgain(token);
    }
  }
}

function ask<T>(...args: Parameters<typeof askOnce<T>>): Promise<T> {
  return inSession(() => askOnce(...args));
}

/** Asks, within the time limit; throws the `Problem` an answer means. */
async function askOnce<T>(
  path: Endpoint,
  query: Values,
  init: RequestInit,
  signal: AbortSignal | undefined,
  read: (answer: Response) => Promise<T>,
): Promise<T> {
  const search = searchOf(query);
  return within(search === "" ? path : `${path}?${search}`, init, signal, read);
}

/** Asks at an address, within the time limit; throws the `Problem` an answer means. */
async function within<T>(
  address: string,
  init: RequestInit,
  signal: AbortSignal | undefined,
  read: (answer: Response) => Promise<T>,
  beside = address,
  limitMs?: number,
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), limitMs ?? ANSWER_MS_MAX);
  const cancel = () => limit.abort();
  signal?.addEventListener("abort", cancel);
  try {
    signal?.throwIfAborted();
    const headers = { ...init.headers, ...credentials() };
    const answer = await fetch(address, { ...init, headers, signal: limit.signal });
    hooks.onReach(true);
    if (answer.ok) return await read(answer);
    const body = init.method === "HEAD" ? await reasonOf(beside, limit.signal) : await answer.text();
    throw problemOf(answer.status, body, answer.headers.get("Retry-After"));
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof Problem) throw cause;
    if (limitMs !== undefined && limit.signal.aborted) throw new Problem("fault", "It takes too long");
    hooks.onReach(false);
    throw new Problem("away", String(cause));
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", cancel);
  }
}

/** The values as the search of an address. */
function searchOf(query: Values): string {
  const search = new URLSearchParams();
  for (const [name, value = []] of Object.entries(query)) {
    for (const one of [value].flat()) search.append(name, String(one));
  }
  return search.toString();
}

/**
 * Why an address is refused: the answer to `HEAD` has no body to say so. Asks for one byte, so that what
 * is not refused any more costs no more.
 */
async function reasonOf(address: string, signal: AbortSignal): Promise<string> {
  const headers = { ...credentials(), Range: "bytes=0-0" };
  const answer = await fetch(address, { headers, signal });
  if (!answer.ok) return answer.text();
  await answer.body?.cancel();
  return "";
}

function credentials(): Record<string, string> {
  const token = hooks.token();
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

async function readJson<T>(answer: Response): Promise<T> {
  return (await answer.json()) as T;
}
