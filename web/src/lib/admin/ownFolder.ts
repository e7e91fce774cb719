// A folder that somebody new is given: what lies there, and how it is made with those above it.
import { createFolder, listFolder } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import { nameOf, parentOf } from "../state/paths.ts";

export type Found = "nothing" | "folder" | "file";

/** What is proposed for somebody new in the form with everything. */
export interface Proposal {
  /** What they are called, as far as it was typed. */
  name: string;
  /** Their own folder; "" for none. */
  folder: string;
  /** Whether it is still to be made. */
  isToMake: boolean;
}

/** What lies where a folder shall be. A file in the place of one above it is in the way as well. */
export async function lookAt(path: string, signal?: AbortSignal): Promise<Found> {
  if (path === "") return "folder";
  try {
    const entry = (await listFolder(parentOf(path), signal)).find(({ name }) => name === nameOf(path));
    if (!entry) return "nothing";
    return entry.type === "folder" ? "folder" : "file";
  } catch (cause) {
    if (!isNotThere(cause)) throw cause;
    return (await lookAt(parentOf(path), signal)) === "file" ? "file" : "nothing";
  }
}

/** Makes a folder, and those above it that are missing. One that is there is used. */
export async function makeFolders(path: string): Promise<void> {
  const make = () => createFolder(parentOf(path), nameOf(path));
  try {
    await make().catch(async (cause: unknown) => {
      if (!isNotThere(cause) || parentOf(path) === "") throw cause;
      await makeFolders(parentOf(path));
      await make();
    });
  } catch (cause) {
    const isTaken = cause instanceof Problem && cause.kind === "collision";
    if (!isTaken || (await lookAt(path)) !== "folder") throw cause;
  }
}

/** The folder asked about is missing, or is a file. */
function isNotThere(cause: unknown): boolean {
  return cause instanceof Problem && (cause.kind === "missing" || cause.code === "not_a_folder");
}
