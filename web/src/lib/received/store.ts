// What other apps shared waits here, in the browser, until somebody says which folder it goes to. The worker puts it
// in and the pages take it out; larder never sees it before.

/** The cache's name; the worker leaves it alone when it cleans up. */
export const RECEIVED = "larder-received";
/** Things that wait at most, of all shares together. Their bytes are the browser's to bound. */
const ITEMS_MAX = 500;
/** What nobody asked for in so long is forgotten (ms). */
const KEPT_MS_MAX = 7 * 24 * 60 * 60 * 1000;
/** The cache's entries have addresses; nobody is ever asked for these. */
const ROOM = "/share/";
/** There when something was shared that there was no room for. */
const REFUSED = `${ROOM}refused`;
/** The fields of the manifest's share target. */
const WORDS = ["title", "text", "url"] as const;

/** Words that were shared. */
export type Words = Partial<Record<(typeof WORDS)[number], string>>;

/** Where a share goes, and who said so. */
export interface Goal {
  user: string;
  folder: string;
}

/** What was shared at one time. */
export interface Share {
  id: string;
  /** Files and words that it came with. */
  count: number;
  /** When (ms since 1970). */
  at: number;
  files: { key: string; file: File }[];
  words: { key: string; words: Words } | undefined;
  goal: Goal | undefined;
}

/** Keeps what another app shares, or, where there is no room for all of it, that there was none. */
export async function receive(form: FormData, now = Date.now()): Promise<void> {
  const cache = await caches.open(RECEIVED);
  await forgetOld(cache, now);
  // An empty field of a form comes as a file without a name.
  const files = form.getAll("files").filter((one) => one instanceof File && (one.name !== "" || one.size > 0)) as File[];
  const words = wordsIn(form);
  if (files.length === 0 && !words) return;
  const share = `${ROOM}${now}-${crypto.randomUUID()}/`;
  try {
    const room = ITEMS_MAX - (await cache.keys()).length;
    if (files.length + 1 > room) throw new Error("no room");
    const headers = { "X-Count": String(files.length + (words ? 1 : 0)) };
    for (const [at, file] of files.entries()) await cache.put(`${share}${at}`, answerOf(file, headers));
    if (words) await cache.put(`${share}words`, Response.json(words, { headers }));
  } catch {
    // All of it or nothing: half of an album is worse than being told.
    await drop(cache, share);
    await refuse();
  }
}

/** Notes that something was shared that could not be taken. */
export async function refuse(): Promise<void> {
  await (await caches.open(RECEIVED)).put(REFUSED, new Response());
}

/** All that waits, the oldest first, and whether something had no room. */
export async function waiting(now = Date.now()): Promise<{ shares: Share[]; isRefused: boolean }> {
  const cache = await caches.open(RECEIVED);
  await forgetOld(cache, now);
  const isRefused = await cache.delete(REFUSED);
  const shares = new Map<string, Share>();
  for (const key of await keysOf(cache)) {
    const answer = await cache.match(key);
    if (answer) await take(shares, key, answer);
  }
  // One whose files have all arrived, and only the note of its folder is left.
  for (const [id, { files, words }] of shares) {
    if (files.length > 0 || words) continue;
    shares.delete(id);
    await drop(cache, id);
  }
  return { shares: [...shares.values()].filter(isWhole).sort((a, b) => a.at - b.at), isRefused };
}

/** Remembers where a share goes: what is left of it after a reload goes on by itself. */
export async function send(share: Share, goal: Goal): Promise<void> {
  const cache = await caches.open(RECEIVED);
  await cache.put(`${share.id}goal`, Response.json(goal));
}

/** Forgets one thing, which has arrived or is not wanted. */
export async function forget(key: string): Promise<void> {
  await (await caches.open(RECEIVED)).delete(key);
}

/** Forgets a share. */
export async function forgetShare(share: Share): Promise<void> {
  await drop(await caches.open(RECEIVED), share.id);
}

/** Forgets everything: whoever signs out leaves nothing behind. */
export async function forgetReceived(): Promise<void> {
  // Plain http has no caches.
  await (globalThis as { caches?: CacheStorage }).caches?.delete(RECEIVED);
}

function wordsIn(form: FormData): Words | undefined {
  const found = WORDS.flatMap((name) => {
    const value = form.get(name);
    return typeof value === "string" && value.trim() !== "" ? [[name, value.trim()] as const] : [];
  });
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}

/** A file as an answer, with what an answer has no other place for. */
function answerOf(file: File, headers: Record<string, string>): Response {
  const own = { "X-Name": encodeURIComponent(file.name), "X-Modified": String(file.lastModified), "X-Type": encodeURIComponent(file.type) };
  return new Response(file, { headers: { ...headers, ...own } });
}

async function fileOf(answer: Response): Promise<File> {
  const field = (name: string) => decodeURIComponent(answer.headers.get(name) ?? "");
  const body = await answer.blob();
  return new File([body], field("X-Name"), { type: field("X-Type"), lastModified: Number(field("X-Modified")) });
}

async function take(shares: Map<string, Share>, key: string, answer: Response): Promise<void> {
  const id = shareOf(key);
  const share = shares.get(id) ?? { id, count: 0, at: timeOf(id), files: [], words: undefined, goal: undefined };
  shares.set(id, share);
  const name = key.slice(id.length);
  if (name === "goal") return void (share.goal = (await answer.json()) as Goal);
  share.count = Number(answer.headers.get("X-Count"));
  if (name === "words") share.words = { key, words: (await answer.json()) as Words };
  else share.files.push({ key, file: await fileOf(answer) });
}

/** The worker may be in the middle of it, or ended there. What is on its way goes thing by thing. */
function isWhole({ goal, count, files, words }: Share): boolean {
  return goal !== undefined || files.length + (words ? 1 : 0) === count;
}

async function forgetOld(cache: Cache, now: number): Promise<void> {
  const old = (await keysOf(cache)).filter((key) => key !== REFUSED && !(Math.abs(now - timeOf(key)) < KEPT_MS_MAX));
  await Promise.all(old.map((key) => cache.delete(key)));
}

async function drop(cache: Cache, share: string): Promise<void> {
  const all = (await keysOf(cache)).filter((key) => key.startsWith(share));
  await Promise.all(all.map((key) => cache.delete(key)));
}

async function keysOf(cache: Cache): Promise<string[]> {
  return (await cache.keys()).map((request) => new URL(request.url).pathname);
}

/** `/share/<time>-<name>/` of a key below it. */
function shareOf(key: string): string {
  return key.slice(0, key.indexOf("/", ROOM.length) + 1);
}

function timeOf(key: string): number {
  return parseInt(key.slice(ROOM.length), 10);
}
