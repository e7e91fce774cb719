// Who is signed in and what they may do; signing in again in place when a session is over.
import type { Endpoint } from "../api/call.ts";
import { hooks } from "../api/http.ts";
import { Problem } from "../api/problem.ts";
import { forgetToken, keepToken, onTokenForgotten, onTokenKept, readToken } from "../api/token.ts";
import type { Self } from "../api/types.ts";
import { forgetReceived } from "../received/store.ts";
import { login, loginByCode, logout, readRole, readSelf } from "../api/users.ts";
import { signInAddress } from "./address.ts";
import { homesOf, placeOf } from "./home.ts";
import { forgetUploads } from "./keptUploads.ts";
import { isWithin } from "./paths.ts";
import { isRemembered } from "./remembered.ts";
import { renewal } from "./renewal.ts";

class Session {
  /** `undefined` until loaded. */
  self = $state.raw<Self>();
  /** The session ended while the page is in use: it asks for the password over what is there. */
  isOver = $state(false);
  /** The owner wants a second factor of this role, and there is none yet: nothing else can be done. */
  needsSecondFactor = $derived(this.self?.totp_needed === true);
  #allowed = $state.raw<Record<string, boolean>>({});
  /** The prefixes of where the person may write. */
  writable = $derived(readPrefixes(this.self?.paths_write));
  #readable = $derived(readPrefixes(this.self?.paths));
  /** The topmost folders they may see; `[""]` is everything, `[]` nothing, or not known yet. */
  homes = $derived(homesOf(this.#readable));
  #again: { promise: Promise<void>; resolve: () => void } | undefined;
  /** The question who that is, while it is on its way. */
  #loading: Promise<void> | undefined;

  /** What to call the person. */
  displayName = $derived(this.self?.name || this.self?.username || "");

  /** Learns who is signed in; once is enough for a page. */
  async load(signal?: AbortSignal): Promise<void> {
    if (this.self) return;
    // Several parts of a page want to know at once; one question is enough.
    this.#loading ??= this.reload().finally(() => (this.#loading = undefined));
    await this.#loading;
    signal?.throwIfAborted();
  }

  /** Learns it anew, after one's own name or role may have changed. */
  async reload(signal?: AbortSignal): Promise<void> {
    const [self, allowed] = await Promise.all([readSelf(signal), this.#readAllowed(signal)]);
    this.#allowed = allowed;
    this.self = self;
  }

  /** What the role allows: nothing, where it wants a second factor that is not there yet. */
  async #readAllowed(signal?: AbortSignal): Promise<Record<string, boolean>> {
    try {
      return await readRole(signal);
    } catch (cause) {
      if (cause instanceof Problem && cause.kind === "secondFactorNeeded") return {};
      throw cause;
    }
  }

  /** The owner began to demand a second factor while the page was in use. */
  learnOfSecondFactor(): void {
    // The page says what is needed as soon as it knows; whatever fails here fails again with the next question.
    if (this.self && !this.needsSecondFactor) this.#loading ??= this.reload().catch(() => undefined).finally(() => (this.#loading = undefined));
  }

  /** Whether the role allows an endpoint, or a door that is none. */
  may(endpoint: Endpoint | "/dav/"): boolean {
    return this.#allowed[endpoint] === true;
  }

  /** Whether the person's own rules allow to write at `path`. The server has the last word. */
  mayWriteAt(path: string): boolean {
    return this.writable.some((prefix) => isWithin(path, prefix));
  }

  /** The same, or at some place below it. */
  mayWriteBelow(path: string): boolean {
    return this.mayWriteAt(path) || this.writable.some((prefix) => isWithin(prefix, path));
  }

  /** Whether the person's own rules allow to read at `path`. The server has the last word. */
  mayReadAt(path: string): boolean {
    return this.#readable.some((prefix) => isWithin(path, prefix));
  }

  /** Whether there is a place to write at all. */
  mayWriteSomewhere(): boolean {
    return this.writable.length > 0;
  }

  /** Where a path leads this person, who is not led to folders that show nothing. */
  placeOf(path: string): string {
    return placeOf(path, this.homes);
  }

  /** Where new folders of people go: the topmost place to write; `undefined` where there is none. */
  get writableTop(): string | undefined {
    return homesOf(this.writable)[0];
  }

  /** Waits for another token than this one: that of the same session, else of another. */
  async waitForAnother(token: string | null): Promise<void> {
    const now = readToken();
    // Another tab has signed in already.
    if (now !== null && now !== token) return;
    if (await renewal.renew(token)) return;
    await this.#waitForSignIn();
  }

  #waitForSignIn(): Promise<void> {
    if (!this.self) {
      // Nothing is on the page yet that could be lost.
      leaveToSignIn(true);
      return Promise.reject(new Problem("signedOut", "The session is over"));
    }
    if (!this.#again) {
      let resolve: () => void = () => undefined;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#again = { promise, resolve };
      this.isOver = true;
    }
    return this.#again.promise;
  }

  /** Signs the same person in again; what waited for it goes on. */
  async signInAgain(password: string, code: string): Promise<void> {
    keepToken(await login(this.self?.username ?? "", password, isRemembered(), code));
    this.goOn();
  }

  /** The same by a one-time code. One of somebody else's makes this page theirs, from its beginning. */
  async signInAgainByCode(code: string): Promise<void> {
    const { id } = this.self ?? {};
    keepToken(await loginByCode(code.trim(), isRemembered()));
    if ((await readSelf()).id !== id) return location.reload();
    this.goOn();
  }

  /** There is a session again. */
  goOn(): void {
    this.isOver = false;
    this.#again?.resolve();
    this.#again = undefined;
  }

  async signOut(isEverywhere = false): Promise<void> {
    await logout(isEverywhere);
    forgetUploads(this.self?.username ?? "");
    await forgetReceived().catch(() => undefined);
    forgetToken();
    location.assign("/auth");
  }
}

export const session = new Session();

/** Goes to the sign-in page, which leads back here; `isOver` when there was a session. */
export function leaveToSignIn(isOver: boolean): void {
  forgetToken();
  location.replace(signInAddress(location.pathname + location.search, isOver));
}

/** Whether there is a session to try; if not, leaves. To be called once by pages that need one. */
export function requireSession(): boolean {
  if (readToken() === null) {
    leaveToSignIn(false);
    return false;
  }
  hooks.signInAgain = (token) => session.waitForAnother(token);
  hooks.onSecondFactorNeeded = () => session.learnOfSecondFactor();
  onTokenForgotten(() => leaveToSignIn(true));
  onTokenKept(() => session.goOn());
  renewal.start();
  return true;
}

/** Whether a failure needs no words: the page is leaving for the sign-in page. */
export function leftBecause(cause: unknown): boolean {
  return cause instanceof Problem && cause.kind === "signedOut";
}

/** The prefixes in a JSON array kept as a string; none when it cannot be read. */
export function readPrefixes(json: string | undefined): string[] {
  try {
    const list: unknown = JSON.parse(json ?? "[]");
    return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
  } catch {
    return [];
  }
}
