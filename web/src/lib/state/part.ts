// Parts of the pages that load when they are first wanted, and what to do when the server is away then.
import { hooks, isUp } from "../api/http.ts";
import { Problem } from "../api/problem.ts";
import { keepTrying } from "./retry.ts";
import { uploads } from "./uploads.svelte.ts";

/** Where it is kept that the page was reloaded for want of a part: the time of day (ms). */
const KEPT_AS = "larder.reloaded";
/** Whoever reloads in vain does not do so again for so long (ms). */
const RELOAD_EVERY_MS = 60_000;

const lostStyles = new Set<HTMLLinkElement>();

/** Has style sheets that fail to load remembered; to be called once. */
export function watchStyles(): void {
  const note = ({ target }: Event) => {
    if (target instanceof HTMLLinkElement && target.rel === "stylesheet") lostStyles.add(target);
  };
  // These events do not bubble.
  window.addEventListener("error", note, true);
}

/** Loads a part, and tries until it is there; tells of each time the server was away. */
export function loadPart<T>(
  load: () => Promise<T>,
  onAway: () => void,
  signal: AbortSignal,
): Promise<T> {
  return keepTrying(() => tryOnce(load), onAway, signal);
}

async function tryOnce<T>(load: () => Promise<T>): Promise<T> {
  try {
    await stylesAgain();
    return await load();
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    const isThere = await isUp();
    hooks.onReach(isThere);
    if (!isThere) throw new Problem("away", String(cause));
    // Another larder has other parts; and some browsers remember that a part failed to load.
    if (!uploads.isBusy && mayReload()) {
      location.reload();
      throw new Problem("away", String(cause));
    }
    throw new Problem("fault", String(cause));
  }
}

/** Asks again for style sheets that failed: what loads the parts asks for each but once. */
async function stylesAgain(): Promise<void> {
  const again = (link: HTMLLinkElement) =>
    new Promise((resolve, reject) => {
      const another = link.cloneNode() as HTMLLinkElement;
      another.onload = resolve;
      another.onerror = () => reject(new Error(`No style sheet: ${link.href}`));
      lostStyles.delete(link);
      link.replaceWith(another);
    });
  await Promise.all([...lostStyles].map(again));
}

function mayReload(): boolean {
  try {
    const last = Number(sessionStorage.getItem(KEPT_AS) ?? 0);
    if (Date.now() - last < RELOAD_EVERY_MS) return false;
    sessionStorage.setItem(KEPT_AS, String(Date.now()));
    return true;
  } catch {
    // Whoever cannot remember might reload for ever.
    return false;
  }
}
