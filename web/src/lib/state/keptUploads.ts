// What this browser remembers of uploads that were not whole when the page was left: by person, and not more
// than fits. The bytes' end is larder's to tell.
import { forgetKept, keep, readKept } from "./keep.ts";

/** One file that was begun. */
export interface KeptFile {
  id: string;
  /** It came from the clipboard: it cannot be chosen again. */
  isPasted?: true;
}

/** Files brought together that did not all arrive. */
export interface KeptBatch {
  id: string;
  /** The folder they go to; of a brought folder with its own name. */
  path: string;
  isFolder: boolean;
  all: number;
  done: number;
}

interface Kept {
  files: readonly KeptFile[];
  batches: readonly KeptBatch[];
}

/** Larder keeps so many of one person open. */
const FILES_MAX = 100;
const BATCHES_MAX = 10;
/** Characters that are kept at most. */
const TEXT_MAX = 60_000;
/** How long figures are gathered before they are kept (ms). */
const KEEP_AFTER_MS = 1000;

export class KeptUploads {
  /** `user`: whose they are. */
  constructor(readonly user: () => string) {}

  read(): Kept {
    try {
      const { files, batches } = JSON.parse(readKept(this.#name()) ?? "{}") as Partial<Kept>;
      return { files: listOf(files), batches: listOf(batches) };
    } catch {
      return { files: [], batches: [] };
    }
  }

  putFile(file: KeptFile): void {
    const { files, batches } = this.read();
    this.#write({ files: [...files.filter((one) => one.id !== file.id), file], batches });
  }

  dropFile(id: string): void {
    const { files, batches } = this.read();
    const others = files.filter((one) => one.id !== id);
    if (others.length < files.length) this.#write({ files: others, batches });
  }

  putBatch(batch: KeptBatch): void {
    const { files, batches } = this.read();
    this.#write({ files, batches: [...batches.filter((one) => one.id !== batch.id), batch] });
  }

  dropBatch(id: string): void {
    const { files, batches } = this.read();
    const others = batches.filter((one) => one.id !== id);
    if (others.length < batches.length) this.#write({ files, batches: others });
  }

  #write({ files, batches }: Kept): void {
    let kept = { files: files.slice(-FILES_MAX), batches: batches.slice(-BATCHES_MAX) };
    // The oldest go first.
    while (JSON.stringify(kept).length > TEXT_MAX) kept = { ...kept, files: kept.files.slice(1), batches: kept.batches.slice(1) };
    keep(this.#name(), JSON.stringify(kept));
  }

  #name(): string {
    return nameFor(this.user());
  }
}

const nameFor = (user: string) => `uploads.${user}`;

/** Forgets what a person brought: whoever signs out leaves no names of folders behind. */
export function forgetUploads(user: string): void {
  forgetKept(nameFor(user));
}

function listOf<T>(list: readonly T[] | undefined): readonly T[] {
  return Array.isArray(list) ? list.filter((one) => typeof one === "object" && one !== null) : [];
}

/** Remembers how many of a batch have arrived, until all have. */
export class BatchMemory {
  #over = new Set<unknown>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly kept: KeptUploads,
    readonly batch: KeptBatch,
    readonly release: () => void,
  ) {
    kept.putBatch(batch);
  }

  /** One has arrived, or is not wanted any more. */
  over(one: unknown): void {
    this.#over.add(one);
    if (this.#over.size === this.batch.all) return this.#forget();
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.kept.putBatch({ ...this.batch, done: this.#over.size });
    }, KEEP_AFTER_MS);
  }

  #forget(): void {
    clearTimeout(this.#timer);
    this.kept.dropBatch(this.batch.id);
    this.release();
  }
}
