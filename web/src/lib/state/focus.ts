// Where a press of a key belongs. Looks at elements, changes none.

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
