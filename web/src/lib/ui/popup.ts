// Where a popup stands, and when it goes: shared by menus and panels. Knows no content.

/** Pixels kept free between a popup and the edge of the window. */
const MARGIN_PX = 8;
/** Pixels between a popup and what opened it. */
const GAP_PX = 4;

/** Puts `popup` below `anchor`, edges of one side in line; above where there is no room below. */
export function place(popup: HTMLElement, anchor: HTMLElement, side: "left" | "right" = "right"): void {
  const at = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = popup;
  const below = at.bottom + GAP_PX;
  const isRoomBelow = below + height + MARGIN_PX <= window.innerHeight;
  const top = isRoomBelow ? below : Math.max(MARGIN_PX, at.top - GAP_PX - height);
  const isLeft = side === "left";
  const right = Math.min(isLeft ? at.left + width : at.right, document.documentElement.clientWidth - MARGIN_PX);
  popup.style.top = `${top}px`;
  popup.style.left = `${Math.max(MARGIN_PX, right - width)}px`;
}

/** Puts `popup` with a corner at a point, inside the window. */
export function placeAt(popup: HTMLElement, x: number, y: number): void {
  const { offsetWidth: width, offsetHeight: height } = popup;
  const { clientWidth } = document.documentElement;
  const left = x + width + MARGIN_PX <= clientWidth ? x : Math.min(x, clientWidth - MARGIN_PX) - width;
  const isRoomBelow = y + height + MARGIN_PX <= window.innerHeight;
  const top = isRoomBelow ? y : Math.min(y, window.innerHeight - MARGIN_PX) - height;
  popup.style.left = `${Math.max(MARGIN_PX, left)}px`;
  popup.style.top = `${Math.max(MARGIN_PX, top)}px`;
}

/**
 * Calls `close` for whatever makes a popup pointless; returns the way to stop listening. The popup stands
 * beside `anchor`, or at a point of the window.
 */
export function closeWhenLeft(
  popup: HTMLElement,
  place: HTMLElement | { x: number; y: number },
  close: (isFocusWanted: boolean) => void,
): () => void {
  const anchor = place instanceof HTMLElement ? place : undefined;
  const under =
    place instanceof HTMLElement
      ? place
      : document.elementsFromPoint(place.x, place.y).find((one) => !popup.contains(one));
  const hasMoved = watchPlace(under);
  const isOurs = (target: EventTarget | null) =>
    target instanceof Node && (popup.contains(target) || (anchor?.contains(target) ?? false));
  const press = (event: Event) => {
    if (isOurs(event.target)) return;
    // A finger beside a popup means only that; the mouse goes on to press what it is on.
    if (event instanceof PointerEvent && event.pointerType !== "mouse") swallowClick();
    close(false);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    close(true);
  };
  const move = (event: Event) => {
    // What scrolls elsewhere, or in the popup itself, takes what it stands at nowhere.
    const isElsewhere =
      event.type === "scroll" && under && event.target instanceof Node && !event.target.contains(under);
    // What had moved before it opened may be told of only now: it stands where it should.
    if (!isElsewhere && !isOurs(event.target) && hasMoved()) close(false);
  };
  document.addEventListener("pointerdown", press, true);
  document.addEventListener("focusin", press, true);
  document.addEventListener("keydown", key, true);
  window.addEventListener("resize", move);
  document.addEventListener("scroll", move, true);
  return () => {
    document.removeEventListener("pointerdown", press, true);
    document.removeEventListener("focusin", press, true);
    document.removeEventListener("keydown", key, true);
    window.removeEventListener("resize", move);
    document.removeEventListener("scroll", move, true);
  };
}

/** Says whether an element stands elsewhere in the window than now, or the window has another size. */
function watchPlace(element: Element | undefined): () => boolean {
  const placeNow = () => {
    const { left = 0, top = 0 } = element?.getBoundingClientRect() ?? {};
    return [left, top, window.innerWidth, window.innerHeight];
  };
  const before = placeNow();
  return () => placeNow().some((value, at) => Math.abs(value - (before[at] ?? 0)) >= 1);
}

/** Keeps the click that ends the press that is going on now from everybody. */
function swallowClick(): void {
  const swallow = (event: Event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const options = { capture: true, once: true };
  document.addEventListener("click", swallow, options);
  // A press that ended in no click, such as a swipe, takes none from the next.
  document.addEventListener("pointerdown", () => document.removeEventListener("click", swallow, options), options);
}
