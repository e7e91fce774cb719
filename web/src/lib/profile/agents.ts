// A device in a person's words, from what its browser says of itself. A guess: every browser claims to be some other.

/** The first that fits counts: those that name others besides come before those. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\bOPR\/|\bOpera\b/, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\bFirefox\/|\bFxiOS\//, "Firefox"],
  [/\bChrom(?:e|ium)\/|\bCriOS\//, "Chrome"],
  [/\bSafari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "Mac"],
  [/\bLinux\b/, "Linux"],
];
/** Letters of a name that is shown as it is. */
const NAME_LENGTH_MAX = 40;

/** What stands for the device: browser and system, or the program's own name; "" where it gave none. */
export function deviceOf(agent: string): { browser: string; system: string } {
  const find = (list: typeof BROWSERS) => list.find(([pattern]) => pattern.test(agent))?.[1] ?? "";
  const [browser, system] = [find(BROWSERS), find(SYSTEMS)];
  // `curl/8.1` and its like say what they are.
  return { browser: browser || [...(agent.split(/[/ (]/)[0] ?? "")].slice(0, NAME_LENGTH_MAX).join(""), system };
}

/** Whether it is one that is carried around. */
export function isPhone(agent: string): boolean {
  return /\biPhone\b|\biPad\b|\bAndroid\b/.test(agent);
}
