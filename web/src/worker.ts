// The pages' worker, which the browser keeps beside larder's address. It keeps the pages' own parts, so that they are
// there at once, and takes what other apps share; whatever is asked of larder itself passes it by. It runs where the
// browser trusts the connection (HTTPS, or the machine itself), and imports nothing that touches a page.
import { receive, refuse } from "./lib/received/store.ts";
import { pagesVersion } from "virtual:pages-version";

/** What a worker is told; the DOM's types, which the pages need, know nothing of it. */
interface Extendable extends Event {
  waitUntil(what: Promise<unknown>): void;
}
interface Asked extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Installed extends Extendable {
  /** Newer browsers: what goes to the network without the worker being woken. */
  addRoutes?(routes: { condition: { urlPattern: string }; source: "network" }[]): Promise<void>;
}
interface Worker {
  skipWaiting(): Promise<void>;
  addEventListener(type: "install", listener: (event: Installed) => void): void;
  addEventListener(type: "activate", listener: (event: Extendable) => void): void;
  addEventListener(type: "fetch", listener: (event: Asked) => void): void;
}
const worker = globalThis as unknown as Worker;

/** The caches of the pages' parts, one for each version. */
const PREFIX = "larder-pages-";
const CACHE = PREFIX + pagesVersion;
/** Where the parts are; each name carries a hash of the content, so that what is kept is never old. */
const PARTS = "/web/assets/";
/** How long larder may be silent until the kept page stands in (ms): longer than a busy board takes. */
const PATIENCE_MS = 5000;
/** Larder's own answers: nothing of these is ever looked at here. */
const NEVER = ["/api/*", "/dav/*", "/s/*"];

worker.addEventListener("install", (event) => {
  // A new version waits for no window to close: the next page that is opened is its own.
  event.waitUntil(worker.skipWaiting());
  const routes = NEVER.map((urlPattern) => ({ condition: { urlPattern }, source: "network" as const }));
  event.waitUntil(Promise.resolve(event.addRoutes?.(routes)).catch(() => undefined));
});

worker.addEventListener("activate", (event) => event.waitUntil(forgetOldVersions()));

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.method === "POST" && pathname === "/share") return event.respondWith(share(request));
  if (request.method !== "GET") return;
  if (request.mode === "navigate" && pathname === "/") return event.respondWith(firstPage(event));
  if (pathname.startsWith(PARTS) && search === "") event.respondWith(part(event));
});

/** The first page as larder has it now. The kept one stands in only where larder cannot be reached. */
async function firstPage(event: Asked): Promise<Response> {
  const asked = fetch(event.request);
  // Whatever folder or view is asked for, the page is the same.
  event.waitUntil(asked.then((answer) => (answer.status === 200 ? keep("/", answer.clone()) : undefined)).catch(() => undefined));
  const kept = await find("/");
  if (!kept) return asked;
  return Promise.race([asked.catch(() => kept), later(kept)]);
}

/** In another network nothing says no to a phone: it would wait for minutes. */
function later<T>(what: T): Promise<T> {
  return new Promise((resolve) => setTimeout(() => resolve(what), PATIENCE_MS));
}

/** A part of the pages: kept, else asked for and kept. */
async function part(event: Asked): Promise<Response> {
  const { pathname } = new URL(event.request.url);
  const kept = await find(pathname);
  if (kept) return kept;
  const answer = await fetch(event.request);
  if (answer.status === 200) event.waitUntil(keep(pathname, answer.clone()));
  return answer;
}

/** Takes what was shared; the pages ask where it goes. */
async function share(request: Request): Promise<Response> {
  // Any page of the web can send a form here. What comes of that is only a question to whoever sits here, and it is
  // not even asked where the browser tells of another page.
  const isFromElsewhere = /^https?:/.test(request.referrer) && new URL(request.referrer).origin !== location.origin;
  if (!isFromElsewhere) await take(request);
  return Response.redirect("/", 303);
}

async function take(request: Request): Promise<void> {
  try {
    await receive(await request.formData());
  } catch {
    // The pages say so; where not even that can be noted, nothing can.
    await refuse().catch(() => undefined);
  }
}

/** What is kept under an address; nothing where the browser lets nothing be kept. */
async function find(pathname: string): Promise<Response | undefined> {
  try {
    return await (await caches.open(CACHE)).match(pathname, { ignoreVary: true });
  } catch {
    return undefined;
  }
}

async function keep(pathname: string, answer: Response): Promise<void> {
  try {
    await (await caches.open(CACHE)).put(pathname, answer);
  } catch {
    // No room, or none allowed: it comes from larder each time.
  }
}

async function forgetOldVersions(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}
