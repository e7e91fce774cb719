// What the keys do in the folder on show: a command in, and it is done. How the view looks is not known here.
import type { Entry } from "../api/types.ts";
import { clipboard } from "../state/clipboard.svelte.ts";
import { type Command, type Direction, isDirection, type Press } from "../state/keys.ts";
import { listing } from "../state/listing.svelte.ts";
import { TypeAhead } from "../state/typeAhead.ts";
import type { Actions, permitted } from "./actions.ts";

/** What the view does for the keys. What answers with a boolean says whether it meant anything. */
export interface View {
  actions: () => Actions;
  /** What may be done with what is selected. */
  may: () => ReturnType<typeof permitted>;
  mayWrite: () => boolean;
  step: (direction: Direction, keys: { isStretch: boolean; isToggle: boolean }) => boolean;
  open: (entry: Entry, isElsewhere: boolean) => void;
  goUp: () => void;
  focusFilter: () => void;
  showKeys: () => void;
  openMenu: () => boolean;
  showCursor: () => void;
  /** Whether a text of the page is marked. */
  isTextMarked: () => boolean;
}

type Other = Exclude<Command, Direction>;

export class FolderKeys {
  #typed = new TypeAhead();

  constructor(readonly view: View) {}

  /** Does what a key says; answers whether it meant anything here. */
  obey(command: Command, press: Press): boolean {
    if (command !== "type" && command !== "toggle") this.#typed.forget();
    const keys = { isStretch: press.shiftKey, isToggle: press.ctrlKey || press.metaKey };
    if (isDirection(command)) return this.view.step(command, keys);
    return this.#others[command](press) ?? true;
  }

  /** What is not a step. Nothing answered: it meant something. */
  readonly #others: Record<Other, (press: Press) => boolean | undefined> = {
    open: (press) => {
      const entry = listing.find(listing.selection.cursor);
      if (entry) this.view.open(entry, press.ctrlKey || press.metaKey);
      return entry !== undefined;
    },
    toggle: () => {
      // Within a name a space is a letter.
      if (this.#typed.isUnderWay) return this.#type(" ");
      const { cursor } = listing.selection;
      if (cursor !== "") listing.selection.toggle(cursor);
      return true;
    },
    parent: () => void this.view.goUp(),
    rename: () => void (this.view.may().rename && this.view.actions().rename()),
    delete: () => void (this.view.may().remove && this.view.actions().remove()),
    all: () => void listing.selection.all(),
    copy: () => {
      // A text that is marked is what one means.
      if (!this.view.may().copy || this.view.isTextMarked()) return false;
      this.view.actions().copy();
      return true;
    },
    cut: () => void (this.view.may().move && this.view.actions().cut()),
    paste: () => {
      // Nothing was cut or copied here: the browser may have files to paste.
      if (clipboard.isEmpty) return false;
      if (this.view.mayWrite()) this.view.actions().paste();
      return true;
    },
    filter: () => {
      // What is selected has its bar over the field.
      listing.selection.clear();
      this.view.focusFilter();
      return true;
    },
    help: () => void this.view.showKeys(),
    escape: () => {
      if (listing.filter !== "") listing.filter = "";
      else if (listing.selection.count > 0) listing.selection.clear();
      else clipboard.clear();
      return true;
    },
    menu: () => this.view.openMenu(),
    type: (press) => this.#type(press.key),
  };

  /** Goes to the name that begins with what is typed. */
  #type(letter: string): boolean {
    const name = listing.selection.find(this.#typed.add(letter));
    if (name !== undefined) listing.selection.pick(name);
    this.view.showCursor();
    return true;
  }
}
