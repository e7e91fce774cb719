// Which key leads from a file to its neighbours.

/** What takes the arrows for itself while it has the focus. */
const OWN_ARROWS = ["video", "audio", "input", "[contenteditable]", ".scroll", ".cm-editor"];

/** -1 to the previous file, 1 to the next; 0 where the key means nothing, or something to what has the focus. */
export function stepOf(event: KeyboardEvent, ...alsoOwn: readonly string[]): -1 | 0 | 1 {
  const target = event.composedPath()[0];
  const isOwn = target instanceof Element && target.closest([...OWN_ARROWS, ...alsoOwn].join()) !== null;
  if (isOwn || event.altKey || event.ctrlKey || event.metaKey) return 0;
  if (event.key === "ArrowLeft") return -1;
  return event.key === "ArrowRight" ? 1 : 0;
}
