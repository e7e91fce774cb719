// Which key leads from a file to its neighbours.

/** What takes keys for itself while it has the focus. */
const OWN_KEYS = ["video", "audio", "input", "[contenteditable]", ".scroll", ".cm-editor"];

/** Whether a key means something to what has the focus. */
export function isOwn(event: KeyboardEvent, ...alsoOwn: readonly string[]): boolean {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest([...OWN_KEYS, ...alsoOwn].join()) !== null;
}

/** -1 to the previous file, 1 to the next; 0 where the key means nothing, or something to what has the focus. */
export function stepOf(event: KeyboardEvent, ...alsoOwn: readonly string[]): -1 | 0 | 1 {
  if (isOwn(event, ...alsoOwn) || event.altKey || event.ctrlKey || event.metaKey) return 0;
  if (event.key === "ArrowLeft") return -1;
  return event.key === "ArrowRight" ? 1 : 0;
}
