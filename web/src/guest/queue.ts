// Files on their way to larder: a few at a time, each going on where it broke off. Knows no page.
import { Problem } from "../lib/api/problem.ts";
import { giveUp, uploadsAt } from "../lib/api/tus.ts";
import { forgetKept, keep, readKept } from "../lib/state/keep.ts";
import { Pace } from "../lib/state/pace.ts";
import { type Line, SendingFile } from "../lib/state/sending.ts";
import { wakeLock } from "../lib/state/wakeLock.ts";

/** Files on their way at once: one fills the line while the other is being put in its place. */
const AT_ONCE_MAX = 2;
/** Names of unfinished uploads that are remembered. */
const KEPT_MAX = 50;

/** One file somebody brings. */
export interface Bringing {
  readonly file: File;
  /** The folder it goes to, relative to the link. */
  readonly folder: string;
  state: "waiting" | "sending" | "held" | "done" | "failed" | "gone";
  /** Bytes that have arrived or are on their way. */
  sent: number;
  /** Where it went on after a break (bytes). */
  continuedAt?: number;
  /** Why it waits or has failed. */
  cause?: unknown;
  running?: AbortController | undefined;
  id?: string | undefined;
}

export class Queue {
  readonly all: Bringing[] = [];
  #pace = new Pace();
  // Before its bytes each file gets a name: a guest cannot look whether one has arrived whose answer was lost.
  #line: Line = { sliceBytes: undefined, oneRequestMax: 0 };
  #release: (() => void) | undefined;

  /** `onchange`: something is different. `wait`: lets so many seconds go by before another try; tests need not wait. */
  constructor(
    readonly onchange: () => void,
    readonly wait?: (seconds: number, signal: AbortSignal) => Promise<void>,
  ) {}

  /** Tells how many of them are here already, and so are not brought twice; what has failed is tried again. */
  add(files: readonly File[], folder: string): number {
    let skipped = 0;
    for (const file of files) {
      const one: Bringing = { file, folder, state: "waiting", sent: 0 };
      const same = this.all.find((other) => keyOf(other) === keyOf(one));
      if (!same) this.all.push(one);
      else if (same.state === "failed") this.retry(same);
      else skipped += 1;
    }
    this.#pump();
    return skipped;
  }

  /** Another try for what failed. */
  retry(one: Bringing): void {
    if (one.state !== "failed") return;
    one.state = "waiting";
    this.#pump();
  }

  /** It is not wanted any more. */
  drop(one: Bringing): void {
    one.running?.abort();
    if (one.state !== "done") one.state = "gone";
    this.all.splice(this.all.indexOf(one), 1);
    if (one.id !== undefined) {
      void giveUp(one.id).catch(() => undefined);
      this.#remember(one, undefined);
    }
    this.#pump();
  }

  count(...states: Bringing["state"][]): number {
    return this.all.filter((one) => states.includes(one.state)).length;
  }

  get isBusy(): boolean {
    return this.count("waiting", "sending", "held") > 0;
  }

  /** Whether all that has arrived are photos. */
  get isAllPhotos(): boolean {
    return this.all.every(({ state, file }) => state !== "done" || file.type.startsWith("image/"));
  }

  /** Bytes of all that is not failed, and how many of them are sent. */
  get size(): number {
    return this.#sum((one) => one.file.size);
  }
  get sent(): number {
    return this.#sum((one) => (one.state === "done" ? one.file.size : one.sent));
  }

  #sum(of: (one: Bringing) => number): number {
    return this.all.reduce((sum, one) => sum + (one.state === "failed" ? 0 : of(one)), 0);
  }

  /** Seconds it takes still; `undefined` while nobody can say. */
  get secondsLeft(): number | undefined {
    if (this.count("sending") === 0) return undefined;
    const pace = this.#pace.perSecond(performance.now());
    return pace === undefined || pace <= 0 ? undefined : (this.size - this.sent) / pace;
  }

  #pump(): void {
    while (this.count("sending", "held") < AT_ONCE_MAX) {
      const next = this.all.find((one) => one.state === "waiting");
      if (!next) break;
      void this.#send(next);
    }
    if (this.isBusy) this.#release ??= wakeLock.hold();
    else {
      this.#release?.();
      this.#release = undefined;
    }
    this.onchange();
  }

  async #send(one: Bringing): Promise<void> {
    const running = (one.running = new AbortController());
    one.state = "sending";
    one.cause = undefined;
    one.id ??= this.#keptId(one);
    try {
      await this.#sendingOf(one, running.signal).run();
      one.state = "done";
      this.#remember(one, undefined);
    } catch (cause) {
      if (running.signal.aborted) return;
      one.state = "failed";
      one.cause = cause;
    }
    this.#pump();
  }

  /** Under which it was begun before, unless another one goes on with that. */
  #keptId(one: Bringing): string | undefined {
    const id = keptIds()[keyOf(one)];
    return this.all.some((other) => other.id === id) ? undefined : id;
  }

  #sendingOf(one: Bringing, signal: AbortSignal): SendingFile {
    const { file, folder } = one;
    const goal = { folder, name: file.name, size: file.size, modified: file.lastModified, ifExists: "rename" as const };
    const told = {
      find: () => Promise.resolve(undefined),
      onId: (id: string | undefined) => this.#remember(one, id),
      onSent: (bytes: number) => {
        if (bytes > one.sent) this.#pace.add(bytes - one.sent, performance.now());
        one.sent = bytes;
        this.onchange();
      },
      onAt: (offset: number) => {
        one.sent = one.continuedAt = offset;
        this.onchange();
      },
      onHeld: (problem: Problem) => {
        one.state = "held";
        one.cause = problem;
        this.onchange();
      },
      onTry: () => {
        one.state = "sending";
        one.cause = undefined;
        this.onchange();
      },
    };
    return new SendingFile(file, goal, this.#line, told, signal, one.id, this.wait);
  }

  /** Remembers under which name it goes on, on another day too. */
  #remember(one: Bringing, id: string | undefined): void {
    one.id = id;
    const others = Object.entries(keptIds()).filter(([key]) => key !== keyOf(one));
    const kept = (id === undefined ? others : [...others, [keyOf(one), id]]).slice(-KEPT_MAX);
    if (kept.length > 0) keep(keptAs(), JSON.stringify(Object.fromEntries(kept)));
    else forgetKept(keptAs());
  }
}

/** Each link's uploads are remembered by its address. */
const keptAs = () => `guest.${uploadsAt.address}`;

const keyOf = ({ file, folder }: Bringing) => `${folder}/${file.name}|${file.size}|${file.lastModified}`;

function keptIds(): Record<string, string> {
  try {
    return JSON.parse(readKept(keptAs()) ?? "{}") as Record<string, string>;
  } catch {
    return {};
  }
}
