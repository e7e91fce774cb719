// What was dropped from the desktop: files, and folders with all that is in them.
import { joinPath } from "../state/paths.ts";

/** Files for one folder, which may not exist yet. */
export interface Batch {
  folder: string;
  files: File[];
}

/** Whether a drag brings files from outside the page. */
export function bringsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Everything dropped onto `folder`, by the folder it goes to. Empty folders bring nothing. */
export async function readDropped(transfer: DataTransfer, folder: string): Promise<Batch[]> {
  // The browser empties the list as soon as the event is over, so all entries are taken first.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const batches: Batch[] = [];
  await gather(
    entries.filter((entry) => entry !== null),
    folder,
    batches,
  );
  return batches;
}

async function gather(entries: FileSystemEntry[], folder: string, into: Batch[]): Promise<void> {
  const files: File[] = [];
  for (const entry of entries) {
    if (entry.isFile) files.push(await fileOf(entry as FileSystemFileEntry));
  }
  if (files.length > 0) into.push({ folder, files });
  for (const entry of entries) {
    if (!entry.isDirectory) continue;
    const children = await childrenOf(entry as FileSystemDirectoryEntry);
    await gather(children, joinPath(folder, entry.name), into);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function childrenOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    // Browsers hand out a hundred or so at a time, and nothing at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
