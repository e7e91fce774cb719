// The upload queue: what waits, runs, is done or failed. Asks what to do where a name is taken.
import { listFolder, readFacts } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import { giveUp, listOpen, type Open } from "../api/tus.ts";
import { type Claims, claimsOfBrowser, type Release } from "./claims.ts";
import { type Clash, collisions, type Collisions, type Side } from "./collisions.svelte.ts";
import { isIdentical, mayBeIdentical } from "./identical.ts";
import { connection } from "./connection.svelte.ts";
import { BatchMemory, KeptUploads } from "./keptUploads.ts";
import { batchLock, Left } from "./left.svelte.ts";
import { Pace } from "./pace.ts";
import { joinPath } from "./paths.ts";
import { isSameFile, type Line, ONE_REQUEST_MAX, SendingFile, type Told } from "./sending.ts";
import { leftBecause, session } from "./session.svelte.ts";
import { Parcel, Tally, Upload, type UploadBatch, type UploadState } from "./upload.svelte.ts";
import { wakeLock } from "./wakeLock.ts";

/** Uploads that run at once: small files wait for the server's disk most of the time, large ones for the line. */
const AT_ONCE_MAX = 4;
const LARGE_AT_ONCE_MAX = 2;
/** How often the figures are looked at anew, so that none stays when nothing moves (ms). */
const LOOK_EVERY_MS = 1000;
/** From so many files on, the folder they go to is looked through once, rather than asked about each. */
const LOOKED_THROUGH_FROM = 4;
/** How long what was stored is gathered before it is told (ms). */
const TELL_AFTER_MS = 700;

/** A file that is brought. */
export interface Brought {
  folder: string;
  file: File;
  /** Where the folder that it was brought in goes, with that folder's name. */
  root?: string | undefined;
  /** What is known to have its name already. */
  there?: Side | undefined;
  isPasted?: boolean | undefined;
  /** Called once it has arrived, or is not wanted any more. */
  onOver?: (() => void) | undefined;
}

/** Another window sends the file. */
class Elsewhere extends Error {
  constructor(readonly id: string) {
    super("Another window sends it");
  }
}

export class Uploads {
  all = $state.raw<readonly Upload[]>([]);
  parcels = $state.raw<readonly Parcel[]>([]);
  readonly tally = new Tally();
  /** Bytes a second just now, and what that leaves (s); `undefined` while nobody can say. */
  bytesPerS = $state<number>();
  leftS = $derived(
    this.bytesPerS ? (this.tally.totalBytes - this.tally.sentBytes) / this.bytesPerS : undefined,
  );
  /** Called with the folders of files that were stored. */
  onStored: (folders: ReadonlySet<string>) => void = () => undefined;
  /** Called with each file that was sent, and the path it has got. */
  onSent: (file: File, path: string) => void = () => undefined;

  readonly left: Left;
  #nextId = 1;
  #waiting: Upload[] = [];
  #running = new Set<Upload>();
  #pace = new Pace();
  #look: ReturnType<typeof setInterval> | undefined;
  /** Those that wait for larder, and have sent nothing since. */
  #still = new Set<Upload>();
  #letSleep: (() => void) | undefined;
  #line: Line = { sliceBytes: undefined };
  #open: Promise<Open[]> | undefined;
  #stored = new Set<string>();
  #isTelling = false;

  constructor(
    readonly collisions: Collisions,
    readonly kept: KeptUploads,
    readonly claims: Claims,
    readonly wait?: SendingFile["wait"],
  ) {
    this.left = new Left(kept, claims);
  }

  /** Looks for what was left behind, now and whenever that may have changed. */
  start(): void {
    if (!session.may("/api/upload")) return;
    const look = () => {
      if (!document.hidden) void this.left.refresh();
    };
    look();
    connection.onBack(look);
    document.addEventListener("visibilitychange", look);
  }

  get isBusy(): boolean {
    return this.tally.isBusy;
  }

  /** Takes files brought together. `isContinued`: some of them another time already. */
  add(items: readonly Brought[], isContinued = false): void {
    if (items.length === 0) return;
    // What larder has of these is asked for anew.
    this.#open = undefined;
    const batch = this.#batchOf(items, isContinued);
    const parcels = new Map<string, Parcel>();
    const all = items.map((item) => this.#uploadOf(item, batch, parcels));
    for (const one of all) this.tally.count(one, 1);
    this.all = [...this.all, ...all];
    this.parcels = [...this.parcels, ...parcels.values()];
    this.#remember(all);
    for (const one of all) {
      // What is surely another file is asked about at once.
      const isTaken = one.there && !this.left.find(pathOf(one), one.file) && !mayBeIdentical(one.file, one.there);
      if (isTaken) void this.#choose(one);
      else this.#waiting.push(one);
    }
    this.#pump();
  }

  /** Stops one, whatever it is doing, and forgets it. */
  cancel(one: Upload): void {
    this.#cancel([one]);
  }

  cancelParcel(parcel: Parcel): void {
    this.#cancel(parcel.all.filter((one) => !isOver(one)));
  }

  cancelAll(): void {
    this.#cancel(this.all);
  }

  retry(one: Upload): void {
    one.problem = undefined;
    this.#enqueue(one);
  }

  /** Sends one that was skipped, once the reader has said what becomes of the one that is there. */
  sendAnyway(one: Upload): void {
    this.#reach(one, 0);
    one.isAskedAlone = true;
    void this.#choose(one);
  }

  retryAll(): void {
    for (const one of this.all) if (one.state === "failed") this.retry(one);
  }

  /** Forgets what is over. */
  clear(): void {
    const some = this.all.filter((one) => isOver(one) || one.state === "failed");
    this.#forget(some);
    const left = some.filter((one) => one.openId !== undefined);
    for (const one of left) this.#letGo(one);
    // What larder has of these waits for another day now.
    if (left.length > 0) void this.left.refresh();
  }

  #letGo(one: Upload): void {
    one.release?.();
    one.release = undefined;
  }

  #batchOf(items: readonly Brought[], isContinued: boolean): UploadBatch {
    const counts = new Map<string, number>();
    for (const { folder } of items) counts.set(folder, (counts.get(folder) ?? 0) + 1);
    return { open: new Set(items.map((item) => item.file)), isContinued, counts, there: new Map() };
  }

  #uploadOf({ folder, file, root, there, isPasted = false, onOver }: Brought, batch: UploadBatch, parcels: Map<string, Parcel>): Upload {
    let parcel = root === undefined ? undefined : parcels.get(root);
    if (root !== undefined && !parcel) {
      parcel = new Parcel(this.#nextId++, root);
      parcels.set(root, parcel);
    }
    const one = new Upload(this.#nextId++, file, folder, batch, parcel, isPasted);
    one.there = there;
    one.onOver = onOver;
    parcel?.all.push(one);
    parcel?.tally.count(one, 1);
    return one;
  }

  /** Remembers what was brought, so that another day's page can say what is missing: each folder, and single files. */
  #remember(all: readonly Upload[]): void {
    const groups = new Map<Parcel | string, Upload[]>();
    for (const one of all) {
      const key = one.parcel ?? one.folder;
      const group = groups.get(key);
      if (group) group.push(one);
      else groups.set(key, [one]);
    }
    for (const [key, some] of groups) if (some.length > 1) this.#rememberAs(key, some);
  }

  #rememberAs(key: Parcel | string, some: readonly Upload[]): void {
    const isFolder = typeof key !== "string";
    const path = isFolder ? key.path : key;
    for (const old of this.left.batches) {
      if (old.path === path && old.isFolder === isFolder && old.all <= some.length) this.left.leaveBatch(old.id);
    }
    const id = `${Date.now()}.${this.#nextId++}`;
    let release: (() => void) | undefined;
    let isEnded = false;
    const end = () => {
      isEnded = true;
      release?.();
    };
    const memory = new BatchMemory(this.kept, { id, path, isFolder, all: some.length, done: 0 }, end);
    for (const one of some) one.memory = memory;
    void this.claims.tryNow(batchLock(id)).then((way) => {
      release = way;
      if (isEnded) release?.();
    });
  }

  #become(one: Upload, state: UploadState): void {
    if (one.state === state || one.isForgotten) return;
    for (const tally of talliesOf(this, one)) tally.count(one, -1);
    one.state = state;
    for (const tally of talliesOf(this, one)) tally.count(one, 1);
    if (isOver(one)) tellOver(one);
  }

  /** So much of it has gone out, or is there. */
  #reach(one: Upload, bytes: number): void {
    if (!one.isForgotten) for (const tally of talliesOf(this, one)) tally.sentBytes += bytes - one.sentBytes;
    one.sentBytes = bytes;
  }

  #enqueue(one: Upload): void {
    this.#become(one, "waiting");
    this.#waiting.push(one);
    this.#pump();
  }

  #cancel(some: readonly Upload[]): void {
    const mine = some.filter((one) => !one.isForgotten);
    this.#forget(mine);
    for (const one of mine) {
      const isBegun = one.running !== undefined || one.openId !== undefined;
      one.running?.abort();
      // What another window sends is its own.
      if (isBegun && !isOver(one) && one.state !== "elsewhere") void this.#giveUp(one);
    }
  }

  #forget(some: readonly Upload[]): void {
    const gone = new Set(some.filter((one) => !one.isForgotten));
    const parcels = new Set<Parcel>();
    for (const one of gone) {
      one.isForgotten = true;
      for (const tally of talliesOf(this, one)) tally.count(one, -1);
      if (one.parcel) parcels.add(one.parcel);
      one.batch.open.delete(one.file);
      if (!isOver(one)) tellOver(one);
    }
    for (const parcel of parcels) parcel.all = parcel.all.filter((one) => !gone.has(one));
    this.all = this.all.filter((one) => !gone.has(one));
    this.parcels = this.parcels.filter((parcel) => parcel.all.length > 0);
    this.#waiting = this.#waiting.filter((one) => !gone.has(one));
  }

  /** Has larder drop what it has of one. */
  async #giveUp(one: Upload): Promise<void> {
    try {
      // A whole request that was called off may have begun one without a word.
      const id = one.openId ?? (await listOpen()).find((open) => open.path === pathOf(one) && isSameFile(open, one.file))?.id;
      if (id === undefined || (one.openId === undefined && (await this.claims.isTaken(id)))) return;
      this.kept.dropFile(id);
      await giveUp(id);
    } catch {
      // Larder drops it by itself in some days.
    } finally {
      this.#letGo(one);
    }
  }

  #pump(): void {
    while (this.#running.size < AT_ONCE_MAX) {
      const large = [...this.#running].filter(isLarge).length;
      const at = this.#waiting.findIndex((one) => large < LARGE_AT_ONCE_MAX || !isLarge(one));
      const [next] = at === -1 ? [] : this.#waiting.splice(at, 1);
      if (!next) return;
      this.#become(next, "running");
      this.#running.add(next);
      this.#look ??= setInterval(() => this.#readPace(), LOOK_EVERY_MS);
      this.#watchScreen();
      void this.#send(next).finally(() => {
        this.#running.delete(next);
        this.#still.delete(next);
        if (this.#running.size === 0 && this.#waiting.length === 0) this.#rest();
        this.#pump();
      });
    }
  }

  /** Nothing runs: the next upload begins with a clean measure. */
  #rest(): void {
    clearInterval(this.#look);
    this.#look = undefined;
    this.#watchScreen();
    this.#forgetPace();
  }

  /** The screen stays on while anything moves: waiting for larder can take a night. */
  #watchScreen(): void {
    if (this.#running.size > this.#still.size) {
      this.#letSleep ??= wakeLock.hold();
      return;
    }
    this.#letSleep?.();
    this.#letSleep = undefined;
  }

  #forgetPace(): void {
    this.#pace = new Pace();
    this.bytesPerS = undefined;
  }

  #readPace(): void {
    this.bytesPerS = this.#pace.perSecond(performance.now());
  }

  async #send(one: Upload): Promise<void> {
    const running = (one.running = new AbortController());
    try {
      if (await this.#isTaken(one, running.signal)) return void this.#choose(one);
      if (one.state !== "running") return;
      const path = await this.#sendingOf(one, running.signal).run();
      this.#finish(one, "done");
      this.onSent(one.file, path);
    } catch (cause) {
      if (running.signal.aborted || leftBecause(cause)) return;
      if (cause instanceof Elsewhere) return void this.#waitForOther(one, cause.id, running.signal);
      const problem = cause instanceof Problem ? cause : new Problem("fault", String(cause));
      if (problem.kind === "collision") return await this.#meet(one, problem, running.signal);
      this.#fail(one, problem);
    } finally {
      one.isHeld = false;
      if (one.state !== "elsewhere") one.running = undefined;
    }
  }

  #fail(one: Upload, problem: Problem): void {
    this.#reach(one, 0);
    one.problem = problem;
    this.#become(one, "failed");
  }

  #sendingOf(one: Upload, signal: AbortSignal): SendingFile {
    const { file, folder, ifExists } = one;
    const goal = { folder, name: file.name, size: file.size, modified: file.lastModified, ifExists };
    return new SendingFile(file, goal, this.#line, this.#toldOf(one), signal, one.openId, this.wait);
  }

  #toldOf(one: Upload): Told {
    return {
      find: (isFresh) => this.#find(one, isFresh),
      onId: (id) => void this.#keepId(one, id),
      onSent: (bytes) => {
        const sent = Math.min(bytes, one.file.size);
        this.#pace.add(Math.max(0, sent - one.sentBytes), performance.now());
        this.#readPace();
        this.#reach(one, sent);
        if (this.#still.delete(one)) this.#watchScreen();
      },
      onAt: (offset) => {
        this.#reach(one, offset);
        one.continuedAt = offset > 0 ? offset : undefined;
      },
      onHeld: () => {
        one.isHeld = true;
        one.isUnanswered = true;
        this.#still.add(one);
        this.#watchScreen();
        // What was known of its speed says nothing of the next try.
        this.#forgetPace();
      },
      onTry: () => (one.isHeld = false),
    };
  }

  /** The name of an open upload of this file. Throws where another window has it. */
  async #find(one: Upload, isFresh: boolean): Promise<string | undefined> {
    if (isFresh) this.#open = undefined;
    const open = (this.#open ??= listOpen());
    open.catch(() => (this.#open = undefined));
    const found = (await open).find((other) => other.path === pathOf(one) && isSameFile(other, one.file));
    if (!found) return undefined;
    one.release ??= (await this.claims.tryNow(found.id)) ?? this.#takeOver(found.id);
    if (!one.release) throw new Elsewhere(found.id);
    this.left.leave(found.id);
    // What was begun another day ends as was said then; what is said today holds.
    if (isFresh || one.ifExists === "error") return found.id;
    this.#letGo(one);
    this.kept.dropFile(found.id);
    await giveUp(found.id);
    this.#open = undefined;
    return undefined;
  }

  /** The claim of one that failed here and is brought again: its line goes. */
  #takeOver(id: string): Release | undefined {
    const former = this.all.find((one) => one.state === "failed" && one.openId === id);
    if (!former) return undefined;
    const { release } = former;
    former.release = undefined;
    this.#forget([former]);
    return release;
  }

  async #keepId(one: Upload, id: string | undefined): Promise<void> {
    if (one.openId !== undefined && one.openId !== id) this.kept.dropFile(one.openId);
    one.openId = id;
    if (id === undefined) return this.#letGo(one);
    if (isLarge(one)) this.kept.putFile({ id, ...(one.isPasted && { isPasted: true }) });
    if (one.release) return;
    const release = await this.claims.tryNow(id);
    // It may be over by now.
    if (isOver(one) || one.openId !== id) release?.();
    else one.release = release;
  }

  /** Another window sends it: when that ends, this one goes on, or finds it whole. */
  async #waitForOther(one: Upload, id: string, signal: AbortSignal): Promise<void> {
    this.#become(one, "elsewhere");
    try {
      one.release = await this.claims.wait(id, signal);
    } catch {
      // Called off.
      return;
    }
    if (one.isForgotten) return this.#letGo(one);
    one.running = undefined;
    one.openId = id;
    this.#enqueue(one);
  }

  #finish(one: Upload, state: "done" | "skipped"): void {
    this.#reach(one, one.file.size);
    this.#become(one, state);
    one.batch.open.delete(one.file);
    if (one.openId !== undefined) this.kept.dropFile(one.openId);
    one.openId = undefined;
    this.#letGo(one);
    if (state === "done") this.#tell(one.folder);
  }

  /** Tells of what was stored, many at once. */
  #tell(folder: string): void {
    this.#stored.add(folder);
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      const folders = this.#stored;
      this.#stored = new Set();
      this.onStored(folders);
    }, TELL_AFTER_MS);
  }

  /** Whether the reader has to say what to do: its name is known to be taken, and by something else. */
  async #isTaken(one: Upload, signal: AbortSignal): Promise<boolean> {
    if (one.openId !== undefined || one.ifExists !== "error" || this.left.find(pathOf(one), one.file)) return false;
    one.there ??= (await this.#entriesFor(one)).get(one.file.name);
    if (!one.there) return false;
    if (!(await isIdentical(one.file, pathOf(one), one.there, signal, one.batch.isContinued))) return true;
    signal.throwIfAborted();
    this.#finish(one, "skipped");
    return false;
  }

  /** What is in the folder it goes to, where many go there. */
  #entriesFor({ folder, batch }: Upload): Promise<Map<string, Side>> {
    if ((batch.counts.get(folder) ?? 0) < LOOKED_THROUGH_FROM) return Promise.resolve(new Map());
    const known = batch.there.get(folder) ?? entriesIn(folder);
    batch.there.set(folder, known);
    return known;
  }

  /** Larder says that its name is taken though nobody knew. */
  async #meet(one: Upload, problem: Problem, signal: AbortSignal): Promise<void> {
    // The reader has answered, and it cannot be done: a folder is not replaced. Only another answer helps.
    if (one.ifExists !== "error") {
      one.ifExists = "error";
      one.isAskedAlone = true;
      return this.#fail(one, problem);
    }
    this.#reach(one, 0);
    one.there = await sideOf(pathOf(one), signal);
    if (one.isForgotten) return;
    if (one.there && (await isIdentical(one.file, pathOf(one), one.there, signal))) {
      // Its own bytes, and only the answer was lost; or somebody brought it before.
      return this.#finish(one, one.isUnanswered ? "done" : "skipped");
    }
    // Not waited for: whoever thinks about an answer holds up no other upload.
    void this.#choose(one);
  }

  /** Asks what to do with one whose name is taken, and does it. */
  async #choose(one: Upload): Promise<void> {
    if (one.isForgotten) return;
    this.#become(one, "asking");
    const batch = one.isAskedAlone ? { open: new Set<File>() } : one.batch;
    batch.open.add(one.file);
    const choice = await this.collisions.choose(one.file, batch, clashOf(one));
    if (one.isForgotten) return;
    if (choice === "skip") return this.#forget([one]);
    one.ifExists = choice;
    this.#enqueue(one);
  }
}

function pathOf(one: Upload): string {
  return joinPath(one.folder, one.file.name);
}

function isLarge(one: Upload): boolean {
  return one.file.size > ONE_REQUEST_MAX;
}

function isOver(one: Upload): boolean {
  return one.state === "done" || one.state === "skipped";
}

function tellOver(one: Upload): void {
  one.memory?.over(one);
  one.onOver?.();
}

function talliesOf(uploads: Uploads, one: Upload): Tally[] {
  return one.parcel ? [uploads.tally, one.parcel.tally] : [uploads.tally];
}

function clashOf({ file, folder, there }: Upload): Clash {
  const modified = new Date(file.lastModified).toISOString();
  const path = joinPath(folder, file.name);
  return { name: file.name, brought: { size: file.size, modified, file }, there: there && { ...there, path } };
}

/** What is in a folder, by name; nothing where it is not there yet, or may not be listed. */
async function entriesIn(folder: string): Promise<Map<string, Side>> {
  try {
    const entries = await listFolder(folder);
    return new Map(entries.map(({ name, type, size, modified, mime, etag }) => [name, { size: type === "folder" ? undefined : size, modified, mime, etag }]));
  } catch {
    return new Map();
  }
}

/** What is known of a stored file; nothing where it may not be looked at, or is a folder. */
async function sideOf(path: string, signal: AbortSignal): Promise<Side | undefined> {
  try {
    return await readFacts(path, signal);
  } catch {
    return undefined;
  }
}

export const uploads = new Uploads(
  collisions,
  new KeptUploads(() => session.self?.username ?? ""),
  claimsOfBrowser(),
);
