// The session's token, kept in the browser. Pages opened in other tabs share it.

const KEY = "larder.token";

/** Used where the browser keeps nothing (some private windows): then the tab is the session. */
let inMemory: string | null = null;

export function readToken(): string | null {
  try {
    return localStorage.getItem(KEY) ?? inMemory;
  } catch {
    return inMemory;
  }
}

export function keepToken(token: string): void {
  inMemory = token;
  try {
    localStorage.setItem(KEY, token);
  } catch {
    // The copy in memory has to do.
  }
}

export function forgetToken(): void {
  inMemory = null;
  try {
    localStorage.removeItem(KEY);
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
