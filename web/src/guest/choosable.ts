// A link that becomes a box to tick while one chooses.
import check from "lucide:check";
import type { Choice } from "./choice.ts";
import { h, icon, set } from "./dom.ts";

/** The sign of it. */
export const tick = () => h("span", { class: "tick" }, icon(check, 20));

/** Shows on a link what is chosen now. */
export function showChosen(link: HTMLAnchorElement, path: string, choice: Choice): void {
  set(link, "role", choice.isOn ? "checkbox" : undefined);
  set(link, "aria-checked", choice.isOn ? String(choice.paths.has(path)) : undefined);
}

/** Has clicks and the space bar tick the link while one chooses; returns whether that is what they did. */
export function ticked(event: MouseEvent | KeyboardEvent, path: string, choice: Choice): boolean {
  if (!choice.isOn || ("key" in event && event.key !== " ")) return false;
  event.preventDefault();
  choice.toggle(path);
  return true;
}
