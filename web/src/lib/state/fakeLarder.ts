// A larder for tests of what sends files: it keeps uploads and files in memory, and breaks when told to. Stands
// in for api/http.ts.
import type { Answered, Sending } from "../api/http.ts";
import { Problem, problemOf } from "../api/problem.ts";

interface OpenUpload {
  path: string;
  size: number;
  bytes: string;
  ifExists: string;
  modified: number;
}

export class FakeLarder {
  files = new Map<string, { bytes: string; modified: number }>();
  /** Names that folders have. */
  folders = new Set<string>();
  open = new Map<string, OpenUpload>();
  /** Whole uploads that still answer. */
  ended = new Map<string, { path: string; size: number }>();
  /** What was asked, in order: `POST 4`, `PATCH 1 +3`. */
  log: string[] = [];
  isAway = false;
  /** The next request breaks after so many bytes of its body. */
  breakAfter: number | undefined;
  /** The next answer is lost. */
  isDeaf = false;
  /** Requests with more bytes are refused by something on the way. */
  proxyMax = Infinity;
  /** The next request is answered so. */
  refusal: { status: number; code?: string; error?: string; retryAfter?: string } | undefined;
  /** Requests wait here until the test lets them go. */
  gate: (() => Promise<void>) | undefined;
  #nextId = 1;

  /** What api/http.ts offers. */
  readonly http = {
    send: <T>(sending: Sending, read: (answer: Answered) => T) => this.#send(sending, read),
    headAt: (address: string) => this.#head(address),
    removeAt: (address: string) => {
      this.log.push(`DELETE ${idOf(address)}`);
      this.open.delete(idOf(address));
      return Promise.resolve();
    },
    get: (_: string, query: { path?: string }) => this.#listFolder(query.path ?? ""),
    getAt: () => this.#list(),
    head: (_: string, query: { file_path: readonly string[] }) => this.#facts(query.file_path[0] ?? ""),
    readBlob: (address: string) => {
      this.log.push("GET");
      return Promise.resolve(new Blob([this.#bytesAt(address)]));
    },
    readPart: (address: string, from: number, length: number) => {
      this.log.push(`GET ${from} +${length}`);
      return Promise.resolve(new TextEncoder().encode(this.#bytesAt(address).slice(from, from + length)));
    },
    getSome: () => Promise.reject(new Error("not asked for here")),
    post: () => Promise.reject(new Error("not asked for here")),
    hooks: { onReach: () => undefined },
  };

  #bytesAt(address: string): string {
    return this.files.get(new URL(address, "http://x").searchParams.get("file_path") ?? "")?.bytes ?? "";
  }

  async #send<T>({ method, address, fields, body, onProgress, signal }: Sending, read: (answer: Answered) => T): Promise<T> {
    signal.throwIfAborted();
    if (this.isAway) throw away();
    const text = (await body?.text()) ?? "";
    this.log.push(method === "POST" ? `POST ${text.length}` : `PATCH ${fields["Upload-Offset"] ?? ""} +${text.length}`);
    await this.gate?.();
    signal.throwIfAborted();
    const { refusal } = this;
    this.refusal = undefined;
    if (refusal) return read(answer(refusal.status, { "Retry-After": refusal.retryAfter }, refusal.code, refusal.error));
    if (text.length > this.proxyMax) return read(answer(413));
    const cut = this.breakAfter;
    this.breakAfter = undefined;
    const came = cut === undefined ? text : text.slice(0, cut);
    if (text !== "") onProgress(came.length);
    const told = method === "POST" ? this.#create(fields, came, body !== undefined) : this.#append(idOf(address), fields, came);
    if (cut !== undefined || this.isDeaf) {
      this.isDeaf = false;
      throw away();
    }
    return read(told);
  }

  #create(fields: Record<string, string>, bytes: string, hasBody: boolean): Answered {
    const told = metadataIn(fields["Upload-Metadata"] ?? "");
    const path = [told.get("path"), told.get("filename")].filter(Boolean).join("/");
    const ifExists = told.get("if_exists") ?? "error";
    if (ifExists !== "rename" && this.folders.has(path)) return answer(409, {}, "exists");
    if (ifExists === "error" && this.files.has(path)) return answer(409, {}, "exists");
    const id = String(this.#nextId++);
    const size = Number(fields["Upload-Length"]);
    const modified = Number(told.get("modified"));
    this.open.set(id, { path, size, bytes, ifExists, modified });
    const placed = hasBody || size === 0 ? this.#place(id) : {};
    return answer(201, { Location: `/api/uploads/${id}`, "Upload-Offset": String(bytes.length), ...placed });
  }

  #append(id: string, fields: Record<string, string>, bytes: string): Answered {
    const upload = this.open.get(id);
    if (!upload) return answer(404, {}, "not_found");
    const there = { "Upload-Offset": String(upload.bytes.length) };
    if (fields["Upload-Offset"] !== there["Upload-Offset"]) return answer(409, there, "conflict");
    upload.bytes += bytes;
    return answer(204, { "Upload-Offset": String(upload.bytes.length), ...this.#place(id) });
  }

  #place(id: string): Record<string, string> {
    const upload = this.open.get(id);
    if (!upload || upload.bytes.length < upload.size) return {};
    let { path } = upload;
    while (this.files.has(path) && upload.ifExists !== "overwrite") path += " (1)";
    this.files.set(path, { bytes: upload.bytes, modified: upload.modified });
    this.open.delete(id);
    this.ended.set(id, { path, size: upload.size });
    return { "Larder-Path": encodeURIComponent(path) };
  }

  async #head(address: string): Promise<Headers> {
    if (this.isAway) throw away();
    const id = idOf(address);
    this.log.push(`HEAD ${id}`);
    const ended = this.ended.get(id);
    if (ended) return new Headers({ "Upload-Offset": String(ended.size), "Larder-Path": encodeURIComponent(ended.path) });
    const upload = this.open.get(id);
    if (!upload) throw problemOf(404, "", null);
    return new Headers({ "Upload-Offset": String(upload.bytes.length) });
  }

  async #list() {
    if (this.isAway) throw away();
    this.log.push("LIST");
    return [...this.open].map(([id, { path, size, bytes, modified }]) => {
      const [at, long] = [new Date(modified).toISOString(), new Date(0).toISOString()];
      return { id, path, size, offset: bytes.length, modified: at, last: long, expires: long };
    });
  }

  async #listFolder(folder: string) {
    this.log.push(`FINDER ${folder}`);
    const entries = [...this.files].filter(([path]) => path.startsWith(`${folder}/`)).map(([path, { bytes, modified }]) => ({
      name: path.slice(folder.length + 1), type: "file", size: bytes.length, modified: new Date(modified).toISOString(), mime: "", writable: true,
    }));
    return { entries };
  }

  async #facts(path: string): Promise<Headers> {
    const file = this.files.get(path);
    if (!file) throw problemOf(404, "", null);
    return new Headers({ "Content-Length": String(file.bytes.length), "Last-Modified": new Date(file.modified).toUTCString() });
  }
}

/** The larder that is asked; each test sets its own. */
export const world = { larder: new FakeLarder() };

type Http = FakeLarder["http"];

/** In place of api/http.ts: `vi.mock("../api/http.ts", async () => (await import("./fakeLarder.ts")).fakeHttp)`. */
export const fakeHttp = Object.fromEntries(
  (Object.keys(world.larder.http) as (keyof Http)[]).map((name) => [
    name,
    name === "hooks" ? world.larder.http.hooks : (...args: never[]) => (world.larder.http[name] as (...args: never[]) => unknown)(...args),
  ]),
);

const idOf = (address: string) => address.split("/").at(-1) ?? "";
const away = () => new Problem("away", "");

function answer(status: number, fields: Record<string, string | undefined> = {}, code?: string, error = code): Answered {
  const text = code === undefined ? "" : JSON.stringify({ error, code });
  return { status, text, field: (name) => fields[name] ?? null };
}

/** The keys and values of a metadata field. */
export function metadataIn(field: string): Map<string, string> {
  return new Map(field.split(",").map((pair) => {
    const [key = "", value = ""] = pair.split(" ");
    return [key, Buffer.from(value, "base64").toString()];
  }));
}
