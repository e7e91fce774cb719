// What the reader chose, kept in this browser. Where it keeps nothing, choices last for the page.

const PREFIX = "larder.";

/** What was kept under a name; `null` when nothing was. */
export function readKept(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // Then it lasts as long as this page.
  }
}

export function forgetKept(name: string): void {
  try {
    localStorage.removeItem(PREFIX + name);
  } catch {
    // Nothing was kept.
  }
}

/** The kept value if it is one of those there are, else the first. */
export function readChoice<T extends string>(name: string, choices: readonly [T, ...T[]]): T {
  const kept = readKept(name);
  return choices.find((one) => one === kept) ?? choices[0];
}
