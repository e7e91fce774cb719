// Uploads that go on where they broke off (tus 1.0): one function for each request. Knows no queue.
import type { Answer } from "./call.ts";
import { type Answered, getAt, headAt, removeAt, send } from "./http.ts";
import { Problem, problemOf } from "./problem.ts";
import type { IfExists } from "./types.ts";

/** Where the page's uploads are: one's own at first, a guest's under the link. */
export const uploadsAt = { address: "/api/uploads" };
const BYTES = "application/offset+octet-stream";

/** What is told of a file before its bytes. */
export interface Goal {
  /** The folder it goes to, made if missing. */
  folder: string;
  name: string;
  size: number;
  /** When it was changed (ms since 1970). */
  modified: number;
  ifExists: IfExists;
  /** SHA-256 in base64, where it is known: larder refuses what arrives otherwise. */
  digest?: string | undefined;
}

/** How far an upload is. `path` is where the file is now; `undefined` until it is whole. */
export interface Reached {
  offset: number;
  path: string | undefined;
}

/** How bytes are sent: who hears of their number, and who stops them. */
export interface Way {
  onProgress: (sentBytes: number) => void;
  signal: AbortSignal;
}

/** An upload that is not whole yet. `path` has the file's name, `modified` is the file's own. */
export type Open = Answer<"/api/uploads", "get">[number];

/** Its bytes are not where they were thought to end. */
export class Moved extends Error {
  constructor(readonly offset: number) {
    super(`The upload is at ${offset}`);
    this.name = "Moved";
  }
}

/** Something on the way takes no request as long as this one. */
export class TooLong extends Error {
  constructor() {
    super("The request is too long for what lies between");
    this.name = "TooLong";
  }
}

/** Begins an upload; with the file's bytes, which are placed at once when they are all there. */
export function begin(goal: Goal, bytes: Blob | undefined, way: Way): Promise<Reached & { id: string }> {
  const fields: Record<string, string> = {
    "Tus-Resumable": "1.0.0",
    "Upload-Length": String(goal.size),
    "Upload-Metadata": metadataOf(goal),
    ...(bytes && { "Content-Type": BYTES }),
    ...(goal.digest !== undefined && { "Repr-Digest": `sha-256=:${goal.digest}:` }),
  };
  return send({ method: "POST", address: uploadsAt.address, fields, body: bytes, ...way }, (answer) => {
    if (answer.status !== 201) throw refusalOf(answer);
    return { id: answer.field("Location")?.split("/").at(-1) ?? "", ...reachedIn(answer) };
  });
}

/** Sends bytes that belong at `offset`. None at the end asks to put the whole in its place once more. */
export function append(id: string, offset: number, bytes: Blob, way: Way): Promise<Reached> {
  const fields = { "Tus-Resumable": "1.0.0", "Upload-Offset": String(offset), "Content-Type": BYTES };
  return send({ method: "PATCH", address: addressOf(id), fields, body: bytes, ...way }, (answer) => {
    if (answer.status === 204) return reachedIn(answer);
    const there = answer.status === 409 ? readOffset(answer.field("Upload-Offset")) : undefined;
    throw there === undefined ? refusalOf(answer) : new Moved(there);
  });
}

/** How far an upload is by what larder has. */
export async function ask(id: string, signal?: AbortSignal): Promise<Reached> {
  const fields = await headAt(addressOf(id), uploadsAt.address, signal);
  return reachedIn({ field: (name) => fields.get(name) });
}

/** Gives an upload up: its bytes go. */
export function giveUp(id: string): Promise<void> {
  return removeAt(addressOf(id));
}

/** One's own uploads that are not whole yet. */
export function listOpen(signal?: AbortSignal): Promise<Open[]> {
  return getAt(uploadsAt.address, signal);
}

const addressOf = (id: string) => `${uploadsAt.address}/${encodeURIComponent(id)}`;

function reachedIn({ field }: Pick<Answered, "field">): Reached {
  const path = field("Larder-Path");
  return { offset: readOffset(field("Upload-Offset")) ?? 0, path: path === null ? undefined : readPath(path) };
}

function readOffset(field: string | null): number | undefined {
  return field !== null && /^\d+$/.test(field) ? Number(field) : undefined;
}

/** A percent-encoded path; as it is where a name in it is no text. */
function readPath(field: string): string {
  try {
    return decodeURIComponent(field);
  } catch {
    return field;
  }
}

function refusalOf({ status, text, field }: Answered): Error {
  const problem = problemOf(status, text, field("Retry-After"));
  // larder's own says why; what comes without its word is a proxy's.
  return status === 413 && problem.code === "" ? new TooLong() : problem;
}

/** The metadata field: each value in base64, as tus wants it. */
export function metadataOf({ folder, name, modified, ifExists }: Goal): string {
  const values = { filename: name, path: folder, if_exists: ifExists, modified: String(modified) };
  return Object.entries(values)
    .filter(([, value]) => value !== "")
    .map(([key, value]) => `${key} ${toBase64(new TextEncoder().encode(value))}`)
    .join(",");
}

export function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Whether an upload is not there (any more). */
export function isGone(cause: unknown): boolean {
  return cause instanceof Problem && cause.kind === "missing";
}
