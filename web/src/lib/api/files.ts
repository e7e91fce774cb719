// Files and folders: one function for each endpoint.
import { get, head, post } from "./http.ts";
import type { Entry } from "./types.ts";

export async function listFolder(path: string, signal: AbortSignal): Promise<Entry[]> {
  const answer = await get<{ entries: Entry[] }>("/api/finder", { path, details: "1" }, signal);
  return answer.entries;
}

/** A file's facts without its bytes. `size` is missing for what is made on the way (a ZIP). */
export interface Facts {
  mime: string;
  size: number | undefined;
  modified: string;
}

export async function readFacts(path: string, signal: AbortSignal): Promise<Facts> {
  const fields = await head("/api/download", { file_path: path, inline: "1" }, signal);
  const size = fields.get("Content-Length");
  return {
    mime: fields.get("Content-Type") ?? "",
    size: size === null ? undefined : Number(size),
    modified: fields.get("Last-Modified") ?? "",
  };
}

/** A file's text; `undefined` when it is none. */
export async function readText(path: string, signal: AbortSignal): Promise<string | undefined> {
  const query = { file_path: path };
  const answer = await get<{ type: string; content: string }>("/api/get_file", query, signal);
  return answer.type === "text" ? answer.content : undefined;
}

export async function createFolder(path: string, name: string): Promise<void> {
  await post("/api/create_folder", { folder_name: name, path });
}

export async function rename(folder: string, entry: Entry, name: string): Promise<void> {
  if (entry.type === "folder") {
    await post("/api/rename_folder", { folder_name: entry.name, new_name: name, path: folder });
  } else {
    await post("/api/rename_file", { file_name: entry.name, new_name: name, path: folder });
  }
}

export async function remove(path: string, type: Entry["type"]): Promise<void> {
  await post(type === "folder" ? "/api/delete_folder" : "/api/delete_file", { path });
}
