// Keeps the session going: a token is good for a day, and the session for as long as larder said when it began.
import { Problem, type ProblemKind } from "../api/problem.ts";
import { keepToken, readToken, tokenAgeMs } from "../api/token.ts";
import { renew } from "../api/users.ts";
import { type Claims, claimsOfBrowser } from "./claims.ts";

/** From when on a token is renewed (ms). */
const OLD_AFTER_MS = 60 * 60 * 1000;
/** How often its age is looked at (ms): tabs sleep, and clocks jump. */
const LOOK_EVERY_MS = 60 * 1000;
/** A token that is refused as soon after it was got is no better for another one in its place (ms). */
const REFUSED_WITHIN_MS = 60 * 1000;
/** What the tab has that renews for all of them. */
const CLAIM = "renewal";
/** How larder says that there will be no other token. */
const OVER: readonly ProblemKind[] = ["signedOut", "refused", "secondFactorNeeded"];

export class Renewal {
  #running: Promise<boolean> | undefined;
  /** The last token that this page got. */
  #got: string | undefined;

  constructor(readonly claims: Claims) {}

  /** Renews the token whenever it is old. */
  start(): void {
    const look = () => {
      if (document.hidden || readToken() === null || tokenAgeMs() < OLD_AFTER_MS) return;
      // What cannot be renewed now is asked for again, or ends with an answer that says so.
      void this.renew(readToken()).catch(() => undefined);
    };
    look();
    setInterval(look, LOOK_EVERY_MS);
    document.addEventListener("visibilitychange", look);
  }

  /** Gets another token than this one; `false` where the session is over. Rejects where larder cannot be asked. */
  renew(token: string | null): Promise<boolean> {
    this.#running ??= this.#inTurn(token).finally(() => (this.#running = undefined));
    return this.#running;
  }

  /** One tab asks, and the others take what it got: each answer makes the token before it a thing of the past. */
  async #inTurn(token: string | null): Promise<boolean> {
    const release = await this.#claim();
    try {
      const now = readToken();
      if (now !== token) return now !== null;
      if (now === null || this.#isRefusedAtOnce(now)) return false;
      this.#got = await renew();
      keepToken(this.#got);
      return true;
    } catch (cause) {
      if (cause instanceof Problem && OVER.includes(cause.kind)) return false;
      throw cause;
    } finally {
      release();
    }
  }

  /** Rejects as if larder were away where the tab before does not end: that is asked again. */
  async #claim(): Promise<() => void> {
    try {
      return await this.claims.wait(CLAIM, AbortSignal.timeout(LOOK_EVERY_MS));
    } catch (cause) {
      throw new Problem("away", String(cause));
    }
  }

  /** Else a larder that takes no token would be asked for ever, by nobody's will. */
  #isRefusedAtOnce(token: string): boolean {
    return token === this.#got && tokenAgeMs() < REFUSED_WITHIN_MS;
  }
}

export const renewal = new Renewal(claimsOfBrowser());
