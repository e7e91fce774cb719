// Where a press of a key belongs, what has the focus, and where it goes when something is wrong.
import { tick } from "svelte";

/** Whether keys typed there are the element's own: a field, an editor, a menu, a dialog. */
export function isTakenByField(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest("input, textarea, select, dialog, [role=menu], [contenteditable]") !== null
  );
}

/** Whether Enter and Space there press something. */
export function isPressable(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("a, button, summary, label") !== null;
}

/** What has the focus, also within a shadow root such as the editor's. */
export function focused(): Element | null {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  return one;
}

let areKeysLast = false;
addEventListener("keydown", () => (areKeysLast = true), true);
addEventListener("pointerdown", () => (areKeysLast = false), true);

/**
 * Whether the last press was one of a key. `:focus-visible` does not say: what a script gave the focus
 * as the page came up keeps its frame when the mouse presses there.
 */
export function isByKeys(): boolean {
  return areKeysLast;
}

/** Puts the focus on the first field of a page or form that says something is wrong with it. */
export async function focusWrong(within: ParentNode | undefined = document): Promise<void> {
  await tick();
  const field = within.querySelector<HTMLElement>("[aria-invalid=true]");
  field?.focus({ preventScroll: true });
  field?.scrollIntoView({ block: "center" });
}
