// The session's token, kept in the browser. Pages opened in other tabs share it.

const KEY = "larder.token";

/** When it was got (ms since 1970). */
const GOT_KEY = "larder.tokenGot";

/** Used where the browser keeps nothing (some private windows): then the tab is the session. */
let inMemory: string | null = null;
let gotInMemory = 0;

export function readToken(): string | null {
  try {
    return localStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

/** How old the token is by this browser's own clock (ms); that of larder may not be set. */
export function tokenAgeMs(now = Date.now()): number {
  try {
    const got = Number(localStorage.getItem(GOT_KEY) ?? gotInMemory);
    // A clock that was set back says nothing of an age.
    return got <= now ? now - got : Infinity;
  } catch {
    return now - gotInMemory;
  }
}

export function keepToken(token: string, now = Date.now()): void {
  inMemory = token;
  gotInMemory = now;
  try {
    // Other tabs hear of the token; by then its age is there, too.
    localStorage.setItem(GOT_KEY, String(now));
    localStorage.setItem(KEY, token);
  } catch {
    // The copy in memory has to do.
  }
}

export function forgetToken(): void {
  inMemory = null;
  gotInMemory = 0;
  try {
    localStorage.removeItem(KEY);
    localStorage.removeItem(GOT_KEY);
  } catch {
    // Nothing was kept.
  }
}

/** Tells when another tab signs in. */
export function onTokenKept(action: () => void): void {
  window.addEventListener("storage", (event) => {
    if (event.key === KEY && event.newValue !== null) action();
  });
}

/** Tells when another tab signs out. */
export function onTokenForgotten(action: () => void): void {
  window.addEventListener("storage", (event) => {
    // A `null` key means that everything was cleared.
    const isOurs = event.key === KEY || event.key === null;
    if (isOurs && readToken() === null) action();
  });
}
