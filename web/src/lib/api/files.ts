// Files, folders, the trash and jobs: one function for each endpoint.
import type { Answer } from "./call.ts";
import { get, getSome, head, post } from "./http.ts";
import type { Entry, IfExists, Job, Trashed } from "./types.ts";

export async function listFolder(path: string, signal?: AbortSignal): Promise<Entry[]> {
  const answer = await get("/api/finder", { path, details: "1" }, signal);
  return answer.entries ?? [];
}

/** How much of a large folder's list is read to find a few of its pictures (bytes). */
const SOME_BYTES = 200_000;

/** The first entries of a folder, in no order; all of them where there are few. */
export async function listSome(path: string, signal: AbortSignal): Promise<Entry[]> {
  const { text, isWhole } = await getSome("/api/finder", { path, details: "1" }, SOME_BYTES, signal);
  return readSome(text, isWhole);
}

/** The entries in a list that may be cut off: up to the last whole one. */
export function readSome(text: string, isWhole: boolean): Entry[] {
  // A quotation mark within a name has a backslash before it: this is always between two entries.
  const end = isWhole ? -1 : text.lastIndexOf('},{"name":');
  if (!isWhole && end === -1) return [];
  const json = isWhole ? text : `${text.slice(0, end)}}]}`;
  return (JSON.parse(json) as { entries?: Entry[] }).entries ?? [];
}

/** A file's facts without its bytes. `size` is missing for what is made on the way (a ZIP). */
export interface Facts {
  mime: string;
  size: number | undefined;
  modified: string;
  /** Seconds since then by the server's own clock, whatever this device's says. */
  ageS: number;
  /** Another one for another content. */
  etag: string;
}

export async function readFacts(path: string, signal?: AbortSignal): Promise<Facts> {
  const fields = await head("/api/download", { file_path: [path], inline: "1" }, signal);
  const size = fields.get("Content-Length");
  const [now, then] = ["Date", "Last-Modified"].map((name) => Date.parse(fields.get(name) ?? ""));
  return {
    mime: fields.get("Content-Type") ?? "",
    size: size === null ? undefined : Number(size),
    modified: fields.get("Last-Modified") ?? "",
    ageS: ((now ?? NaN) - (then ?? NaN)) / 1000,
    etag: fields.get("ETag") ?? "",
  };
}

/** A file's text; `undefined` when it is none. */
export async function readText(path: string, signal?: AbortSignal): Promise<string | undefined> {
  const query = { file_path: path };
  const answer = await get("/api/get_file", query, signal);
  return answer.type === "text" ? answer.content : undefined;
}

export async function writeText(path: string, content: string): Promise<void> {
  await post("/api/edit_file", { path, file_content: content });
}

export async function createFolder(path: string, name: string): Promise<void> {
  await post("/api/create_folder", { folder_name: name, path });
}

export async function createFile(path: string, name: string): Promise<void> {
  await post("/api/new_file", { file_name: name, path, file_content: "" });
}

export async function rename(folder: string, entry: Pick<Entry, "name" | "type">, name: string): Promise<void> {
  if (entry.type === "folder") {
    await post("/api/rename_folder", { folder_name: entry.name, new_name: name, path: folder });
  } else {
    await post("/api/rename_file", { file_name: entry.name, new_name: name, path: folder });
  }
}

/** Where these files and folders come from as one ZIP, however many they are. */
export async function ticketFor(paths: readonly string[]): Promise<string> {
  return (await post("/api/download_ticket", { paths: [...paths] })).url;
}

/** What an action answers: done, or gone on with as a job. */
export type Started = Answer<"/api/move" | "/api/copy" | "/api/delete" | "/api/delete_file" | "/api/delete_folder">;

interface HowToRemove {
  isPermanent: boolean;
  isJob: boolean;
}

const howOf = ({ isPermanent, isJob }: HowToRemove) => ({
  ...(isPermanent && { permanent: true }),
  ...(isJob && { job: true }),
});

/** Deletes one file or folder. */
export function remove(path: string, type: Entry["type"], how: HowToRemove): Promise<Started> {
  const endpoint = type === "folder" ? "/api/delete_folder" : "/api/delete_file";
  return post(endpoint, { path, ...howOf(how) });
}

/** Deletes several files and folders, all of them or none. */
export function removeAll(paths: readonly string[], how: HowToRemove): Promise<Started> {
  return post("/api/delete", { paths: [...paths], ...howOf(how) });
}

/** Moves or copies into the folder `to`. */
export function transfer(
  kind: "move" | "copy",
  paths: readonly string[],
  to: string,
  ifExists: IfExists,
  isJob: boolean,
): Promise<Started> {
  const endpoint = kind === "move" ? "/api/move" : "/api/copy";
  return post(endpoint, { paths: [...paths], to, if_exists: ifExists, ...(isJob && { job: true }) });
}

export function listJobs(signal?: AbortSignal): Promise<Job[]> {
  return get("/api/jobs", {}, signal);
}

export async function cancelJob(id: string): Promise<void> {
  await post("/api/jobs/cancel", { id });
}

export function listTrash(signal?: AbortSignal): Promise<Trashed[]> {
  return get("/api/trash", {}, signal);
}

export async function restore(ids: readonly string[]): Promise<string[]> {
  return (await post("/api/trash/restore", { ids: [...ids] })).paths;
}

/** Removes these for good; everything when none are named. */
export async function emptyTrash(ids?: readonly string[]): Promise<void> {
  await post("/api/trash/empty", ids ? { ids: [...ids] } : {});
}
