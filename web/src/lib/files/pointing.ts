// What the mouse and the finger mean on the entries of a folder: selecting, opening, asking for actions.
// A mouse selects with a click and opens with two; a finger opens with a tap and selects by staying.
import type { Entry } from "../api/types.ts";
import { listing } from "../state/listing.svelte.ts";
import { LongPress } from "./longPress.ts";

/** What the view knows and does for the pointer. */
export interface View {
  /** Which entry is shown there. */
  entryAt: (target: EventTarget | null) => Entry | undefined;
  open: (entry: Entry, isElsewhere: boolean) => void;
  /**
   * Asks for the actions at a point, for what is selected; for the folder where nothing is. `until`:
   * whether the selection ends with the menu, or once something is picked from it.
   */
  openMenu: (x: number, y: number, until?: "closed" | "picked") => void;
  /** Takes the keyboard. */
  focus: () => void;
}

export class Pointing {
  readonly press: LongPress;

  constructor(readonly view: View) {
    this.press = new LongPress((x, y, target) => {
      const entry = view.entryAt(target);
      if (!entry) return;
      if (!listing.selection.has(entry.name)) listing.selection.toggle(entry.name);
      view.openMenu(x, y, "picked");
    });
  }

  click(event: MouseEvent): void {
    // Names are links for the middle button; here a click selects, and what opens is decided below.
    if (closest(event, "a")) event.preventDefault();
    if (this.press.takesClick()) return;
    const { selection } = listing;
    const entry = this.view.entryAt(event.target);
    const isToggle = event.ctrlKey || event.metaKey;
    if (!entry) {
      if (!closest(event, "button") && !isToggle) selection.clear();
      return;
    }
    this.view.focus();
    const more = closest(event, "[data-more]");
    if (more) this.#openMore(event, entry, more);
    else if (closest(event, "[data-mark]") && !event.shiftKey) selection.toggle(entry.name);
    else if (isTouch(event)) this.#tap(entry);
    else selection.pick(entry.name, { isToggle, isStretch: event.shiftKey });
  }

  doubleClick(event: MouseEvent): void {
    const entry = this.view.entryAt(event.target);
    if (entry && !isTouch(event) && !closest(event, "[data-more]")) this.view.open(entry, false);
  }

  middleClick(event: MouseEvent): void {
    const entry = event.button === 1 ? this.view.entryAt(event.target) : undefined;
    // Of a link the browser opens the address by itself.
    if (!entry || closest(event, "a")) return;
    event.preventDefault();
    this.view.open(entry, true);
  }

  contextMenu(event: MouseEvent): void {
    if (closest(event, "input")) return;
    event.preventDefault();
    if (this.press.isWaitingOrDone()) return;
    const entry = this.view.entryAt(event.target);
    if (!entry) listing.selection.clear();
    else if (!listing.selection.has(entry.name)) listing.selection.pick(entry.name);
    this.view.focus();
    this.view.openMenu(event.clientX, event.clientY);
  }

  #openMore(event: MouseEvent, entry: Entry, button: Element): void {
    const { selection } = listing;
    // To a finger the next tap has to open again: there is nothing left to clear first.
    const isKept = !isTouch(event) || selection.has(entry.name);
    if (!selection.has(entry.name)) selection.pick(entry.name);
    const box = button.getBoundingClientRect();
    this.view.openMenu(box.right, box.bottom, isKept ? undefined : "closed");
  }

  /** A tap opens; once something is selected, it selects more. */
  #tap(entry: Entry): void {
    const { selection } = listing;
    if (selection.count > 0) {
      selection.toggle(entry.name);
      return;
    }
    selection.cursor = entry.name;
    this.view.open(entry, false);
  }
}

function closest(event: MouseEvent, selector: string): Element | null {
  return event.target instanceof Element ? event.target.closest(selector) : null;
}

function isTouch(event: MouseEvent): boolean {
  return event instanceof PointerEvent && event.pointerType !== "mouse" && event.pointerType !== "";
}
