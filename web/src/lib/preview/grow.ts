// Opening and closing the viewer: the picture grows from its tile and shrinks back to it, where the browser
// can do that and the reader has not asked for less motion.
import { tick } from "svelte";

/** What the growing picture is called while it grows. */
const NAME = "larder-picture";
/** How long the viewer's picture is waited for (ms): the small one is in the browser already. */
const WAIT_MS = 100;

/** Does `change` while the picture at `from` becomes the one that `to` finds afterwards. */
export function grow(
  change: () => void,
  from: HTMLElement | null | undefined,
  to: () => HTMLElement | null | undefined,
): void {
  const isStill = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (isStill || !from || document.visibilityState === "hidden" || !("startViewTransition" in document)) {
    change();
    return;
  }
  from.style.viewTransitionName = NAME;
  let grown: HTMLElement | null | undefined;
  const transition = document.startViewTransition(async () => {
    from.style.viewTransitionName = "";
    change();
    await tick();
    grown = await found(to);
    if (grown) grown.style.viewTransitionName = NAME;
  });
  const end = () => {
    if (grown) grown.style.viewTransitionName = "";
  };
  // Skipped, because another one began or the page was hidden, it is as good as done.
  transition.ready.catch(() => undefined);
  transition.finished.then(end, end);
}

/** What `to` finds, once it has a size. */
async function found(to: () => HTMLElement | null | undefined): Promise<HTMLElement | undefined> {
  const until = performance.now() + WAIT_MS;
  for (;;) {
    const one = to();
    if (one && one.offsetWidth > 0) return one;
    if (performance.now() > until) return undefined;
    // No frames are drawn meanwhile, so none can be waited for.
    await new Promise((go) => setTimeout(go, 8));
  }
}
