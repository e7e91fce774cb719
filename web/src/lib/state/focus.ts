// Where a press of a key belongs, and what has the focus. Looks at elements, changes none.

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
