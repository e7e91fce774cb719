// Who is signed in and what they may do. Leaves for the sign-in page when the session is over.
import { Problem } from "../api/problem.ts";
import { forgetToken, onTokenForgotten, readToken } from "../api/token.ts";
import type { Endpoint, Self } from "../api/types.ts";
import { logout, readRole, readSelf } from "../api/users.ts";
import { signInAddress } from "./address.ts";
import { isWithin } from "./paths.ts";

class Session {
  /** `undefined` until loaded. */
  self = $state.raw<Self>();
  #allowed = $state.raw<Record<string, boolean>>({});
  #writable = $derived(readPrefixes(this.self?.paths_write));

  /** What to call the person. */
  displayName = $derived(this.self?.name || this.self?.username || "");

  /** Learns who is signed in; once is enough for a page. */
  async load(signal: AbortSignal): Promise<void> {
    if (this.self) return;
    const [self, allowed] = await Promise.all([readSelf(signal), readRole(signal)]);
    this.#allowed = allowed;
    this.self = self;
  }

  /** Whether the role allows an endpoint. */
  may(endpoint: Endpoint): boolean {
    return this.#allowed[endpoint] === true;
  }

  /** Whether the person's own rules allow to write at `path`. The server has the last word. */
  mayWriteAt(path: string): boolean {
    return this.#writable.some((prefix) => isWithin(path, prefix));
  }

  async signOut(): Promise<void> {
    try {
      await logout();
    } catch (cause) {
      // A session that is over already is as good as signed out; anything else is not.
      if (!(cause instanceof Problem && cause.kind === "signedOut")) throw cause;
    }
    forgetToken();
    location.assign("/auth");
  }
}

export const session = new Session();

/** Goes to the sign-in page, which leads back here; `isOver` when there was a session. */
function leaveToSignIn(isOver: boolean): void {
  forgetToken();
  location.replace(signInAddress(location.pathname + location.search, isOver));
}

/** Whether there is a session to try; if not, leaves. To be called once by pages that need one. */
export function requireSession(): boolean {
  if (readToken() === null) {
    leaveToSignIn(false);
    return false;
  }
  onTokenForgotten(() => leaveToSignIn(true));
  return true;
}

/** Deals with a session that is over by leaving; says whether it was that. */
export function leftBecause(cause: unknown): boolean {
  if (!(cause instanceof Problem && cause.kind === "signedOut")) return false;
  leaveToSignIn(true);
  return true;
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
