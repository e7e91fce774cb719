// Sends one file: begins, goes on after each break where larder has it, by slices where something on the way
// takes no long requests. Knows no page.
import { Problem } from "../api/problem.ts";
import { append, ask, begin, type Goal, isGone, Moved, type Open, type Reached, toBase64, TooLong } from "../api/tus.ts";
import { isPassingForReaders, waitAfter, waitOrWake } from "./retry.ts";

const MIB = 1024 * 1024;
/** Files up to this size take one request (bytes). */
export const ONE_REQUEST_MAX = 8 * MIB;
/** What a request is cut down to at first where longer ones are refused, and at last (bytes). */
const SLICE_BYTES = 64 * MIB;
const SLICE_BYTES_MIN = 256 * 1024;
/** As much as this has surely left this device, and is not in its buffers (bytes). */
const LOST_BYTES_MIN = 4 * MIB;
/** Files whose digest is sent along: they are read whole for it (bytes). */
const DIGEST_BYTES_MAX = MIB;
/** Nobody has sent a byte of it for so long (ms): what another device began may be gone on with. */
export const IDLE_AFTER_MS = 60_000;

/** What is learned of the way to larder; it holds for all files. */
export interface Line {
  /** How long a request may be; `undefined` while none was refused. */
  sliceBytes: number | undefined;
  /**
   * Files up to this size take one request (bytes; `ONE_REQUEST_MAX` where it is not told). 0 where nobody could
   * find out whether a request arrived whose answer was lost: then each file has its name at larder before its bytes go.
   */
  oneRequestMax?: number;
}

/** Whom a file's sending asks and tells while it goes on. */
export interface Told {
  /**
   * The name of an open upload of this file, if there is one. `isFresh`: larder may have begun one just now.
   * Throws what ends this sending, where another one has it in hand.
   */
  find: (isFresh: boolean) => Promise<string | undefined>;
  /** It has a name at larder's now, under which it can be gone on with. `undefined`: not any more. */
  onId: (id: string | undefined) => void;
  /** Bytes are on their way. */
  onSent: (bytes: number) => void;
  /** Where larder has it is where it goes on: after a break, or from another day. */
  onAt: (offset: number) => void;
  /** Larder or its drive is away, and the file waits. */
  onHeld: (problem: Problem) => void;
  /** Another try begins. */
  onTry: () => void;
}

export class SendingFile {
  #offset = 0;
  /** Something broke since larder was last asked how far it is. */
  #isUnsure: boolean;
  /** Nobody has looked yet whether larder has a part of it; or a whole request broke off, and it may have now. */
  #isNameless: boolean;
  #isBroken = false;
  /** Tries in a row that brought nothing. */
  #failures = 0;
  /** Bytes of the request under way that have gone out. */
  #sent = 0;

  /** `id`: under which it was begun before. */
  constructor(
    readonly file: File,
    readonly goal: Goal,
    readonly line: Line,
    readonly told: Told,
    readonly signal: AbortSignal,
    public id: string | undefined,
    readonly wait = waitOrWake,
  ) {
    this.#isUnsure = id !== undefined;
    this.#isNameless = id === undefined;
  }

  /** Resolves to where the file is when it is stored. */
  async run(): Promise<string> {
    for (;;) {
      try {
        this.told.onTry();
        const path = await this.#advance();
        if (path !== undefined) return path;
      } catch (cause) {
        this.signal.throwIfAborted();
        await this.#handle(cause);
      }
    }
  }

  /** One step further; the file's path where it was the last. */
  async #advance(): Promise<string | undefined> {
    if (this.#isNameless) await this.#findName();
    if (this.#isUnsure) {
      const reached = await ask(this.id ?? "", this.signal);
      this.#isUnsure = false;
      this.#suspect(reached.offset);
      this.told.onAt(reached.offset);
      return this.#note(reached);
    }
    if (this.id === undefined) return this.#begin();
    const bytes = this.file.slice(this.#offset, this.#offset + this.#most());
    return this.#note(await append(this.id, this.#offset, bytes, this.#way(this.#offset)));
  }

  async #begin(): Promise<string | undefined> {
    const isOneRequest = this.file.size <= Math.min(this.line.oneRequestMax ?? ONE_REQUEST_MAX, this.#most());
    const digest = isOneRequest ? await digestOf(this.file) : undefined;
    const { id, ...reached } = await begin({ ...this.goal, digest }, isOneRequest ? this.file : undefined, this.#way(0));
    this.id = id;
    if (reached.path === undefined) this.told.onId(id);
    return this.#note(reached);
  }

  #note({ offset, path }: Reached): string | undefined {
    if (offset > this.#offset) this.#failures = 0;
    this.#offset = offset;
    return path;
  }

  #most(): number {
    return this.line.sliceBytes ?? Infinity;
  }

  #way(from: number) {
    this.#sent = 0;
    const onProgress = (bytes: number) => {
      this.#sent = bytes;
      this.told.onSent(from + bytes);
    };
    return { onProgress, signal: this.signal };
  }

  /** What a failure asks for before another try; throws what no try mends. */
  async #handle(cause: unknown): Promise<void> {
    if (cause instanceof Moved) return this.#moveTo(cause.offset);
    if (cause instanceof TooLong) return this.#shorten();
    if (isGone(cause) && this.id !== undefined) return this.#forget();
    if (!isPassingForReaders(cause)) throw cause;
    await this.#expectReadable();
    if (cause.kind === "away") this.#doubt();
    this.told.onHeld(cause);
    await this.wait(Math.max(waitAfter(this.#failures++), cause.retryAfterS ?? 0), this.signal);
    this.signal.throwIfAborted();
  }

  #moveTo(offset: number): void {
    // Larder said so at once: whoever is told the same again and again has nothing to send there.
    if (offset > this.file.size) throw new Problem("fault", "The upload is longer than the file");
    this.#offset = offset;
    this.told.onAt(offset);
  }

  /** A proxy refused the request for its length. */
  #shorten(): void {
    const tried = this.id === undefined ? this.file.size : Math.min(this.#most(), this.file.size - this.#offset);
    if (tried <= SLICE_BYTES_MIN) throw new Problem("tooLarge", "Even the shortest request is refused");
    this.line.sliceBytes = Math.max(SLICE_BYTES_MIN, Math.min(SLICE_BYTES, Math.ceil(tried / 2)));
    this.told.onAt(this.#offset);
  }

  /** Larder does not know it any more: it begins anew. */
  async #forget(): Promise<void> {
    this.id = undefined;
    this.#offset = 0;
    this.#isUnsure = false;
    this.#isNameless = false;
    this.told.onId(undefined);
    this.told.onAt(0);
    // Once is no reason to wait; whatever forgets each time is not asked without end.
    if (this.#failures++ > 0) await this.wait(waitAfter(this.#failures), this.signal);
    this.signal.throwIfAborted();
  }

  /** A request broke off: nobody knows what arrived. */
  #doubt(): void {
    this.#isBroken = true;
    if (this.id !== undefined) this.#isUnsure = true;
    else if (this.#sent > 0) this.#isNameless = true;
  }

  /** Much was sent and nothing came: what lies between may keep requests until they are whole. */
  #suspect(offset: number): void {
    const isMuch = this.#sent > LOST_BYTES_MIN && (this.#sent > SLICE_BYTES || this.#failures > 1);
    if (isMuch && offset <= this.#offset) {
      this.line.sliceBytes = Math.max(LOST_BYTES_MIN, Math.min(this.#most(), SLICE_BYTES, Math.floor(this.#sent / 2)));
    }
    this.#sent = 0;
  }

  /** Looks for what was begun before. */
  async #findName(): Promise<void> {
    const id = await this.told.find(this.#isBroken);
    this.#isNameless = false;
    if (id === undefined) return;
    this.id = id;
    this.#isUnsure = true;
    this.told.onId(id);
  }

  /** A file that was changed or taken away breaks requests like a line that is cut; no patience helps there. */
  async #expectReadable(): Promise<void> {
    try {
      await this.file.slice(0, 1).arrayBuffer();
    } catch (cause) {
      throw new Problem("unreadable", String(cause));
    }
  }
}

/** Whether an upload is of a file: as long, and changed at the same time. */
export function isSameFile(one: Pick<Open, "size" | "modified">, file: Pick<File, "size" | "lastModified">): boolean {
  return one.size === file.size && typeof one.modified === "string" && new Date(one.modified).getTime() === file.lastModified;
}

/** SHA-256 of a small file, where the browser can tell it. */
async function digestOf(file: File): Promise<string | undefined> {
  // Only where the page came safely; the DOM's types do not know.
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle || file.size > DIGEST_BYTES_MAX) return undefined;
  try {
    return toBase64(new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer())));
  } catch {
    return undefined;
  }
}
