// What was dropped from the desktop: files, and folders with all that is in them.
import { joinPath } from "../state/paths.ts";

/** A file and the folder it goes to, which may not exist yet. */
export interface Dropped {
  folder: string;
  file: File;
  /** Where the folder that it came in goes, with that folder's name. */
  root?: string | undefined;
}

/** Whether a drag brings files from outside the page. */
export function bringsFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** Every file dropped onto `folder`. Empty folders bring nothing. */
export async function readDropped(transfer: DataTransfer, folder: string): Promise<Dropped[]> {
  // The browser empties the list as soon as the event is over, so all is taken first.
  const items = [...transfer.items].map((item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const all: Dropped[] = [];
  for (const { entry, file } of items) {
    if (entry) await gather([entry], folder, all, entry.isDirectory ? joinPath(folder, entry.name) : undefined);
    // A picture dragged out of another program has no place on any disk.
    else if (file) all.push({ folder, file });
  }
  return all;
}

async function gather(entries: FileSystemEntry[], folder: string, all: Dropped[], root: string | undefined): Promise<void> {
  for (const entry of entries) {
    if (entry.isFile) {
      all.push({ folder, file: await fileOf(entry as FileSystemFileEntry), root });
    } else if (entry.isDirectory) {
      const children = await childrenOf(entry as FileSystemDirectoryEntry);
      await gather(children, joinPath(folder, entry.name), all, root);
    }
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
