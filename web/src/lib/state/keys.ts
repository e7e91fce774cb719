// What a key means in the file manager, and a click. Knows no page: a key and its modifiers in, a word out.

const DIRECTIONS = ["up", "down", "left", "right", "first", "last", "pageUp", "pageDown"] as const;
/** Where a key leads the cursor. */
export type Direction = (typeof DIRECTIONS)[number];

export type Command =
  | Direction
  | "open" | "toggle" | "parent" | "rename" | "delete" | "all" | "copy" | "cut" | "paste"
  | "filter" | "help" | "escape" | "menu" | "type";

export interface Press {
  key: string;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
  altKey: boolean;
}

const PLAIN: Record<string, Command> = {
  ArrowUp: "up",
  ArrowDown: "down",
  ArrowLeft: "left",
  ArrowRight: "right",
  Home: "first",
  End: "last",
  PageUp: "pageUp",
  PageDown: "pageDown",
  Enter: "open",
  " ": "toggle",
  Backspace: "parent",
  F2: "rename",
  Delete: "delete",
  Escape: "escape",
  ContextMenu: "menu",
};
const WITH_CTRL: Record<string, Command> = { a: "all", c: "copy", x: "cut", v: "paste" };
const SINGLE: Record<string, Command> = { "/": "filter", "?": "help" };

export function isDirection(command: Command): command is Direction {
  return (DIRECTIONS as readonly Command[]).includes(command);
}

/** The command of a press; `isSingleAllowed` where keys like `/` count (WCAG 2.1.4: may be off). */
export function commandOf(press: Press, isSingleAllowed: boolean): Command | undefined {
  const isCtrl = press.ctrlKey || press.metaKey;
  if (press.key === "F10" && press.shiftKey) return "menu";
  if (press.altKey) return press.key === "ArrowUp" ? "parent" : undefined;
  // A Mac's keyboards have no key of their own to delete forwards.
  if (press.metaKey && press.key === "Backspace") return "delete";
  const plain = Object.hasOwn(PLAIN, press.key) ? PLAIN[press.key] : undefined;
  if (plain) return plain;
  const key = press.key.toLowerCase();
  if (isCtrl) return Object.hasOwn(WITH_CTRL, key) ? WITH_CTRL[key] : undefined;
  if (Object.hasOwn(SINGLE, press.key)) return isSingleAllowed ? SINGLE[press.key] : undefined;
  return [...press.key].length === 1 ? "type" : undefined;
}

/** Whether a click on a link means: here, in this tab. */
export function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}
