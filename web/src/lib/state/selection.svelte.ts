// What is selected in a list of names, as on a desktop: one, some by Ctrl, a stretch by Shift.
// Knows names and their order; no page and no file.

export interface Keys {
  /** Ctrl or Cmd: one more or less, the rest stays. */
  isToggle?: boolean;
  /** Shift: from where the selection began to here. */
  isStretch?: boolean;
}

export class Selection {
  names = $state.raw<ReadonlySet<string>>(new Set());
  /** Where the keyboard is; "" before it was anywhere. */
  cursor = $state("");
  /** Where a stretch begins. */
  #anchor = "";

  constructor(readonly order: () => readonly string[]) {}

  has(name: string): boolean {
    return this.names.has(name);
  }

  get count(): number {
    return this.names.size;
  }

  /** A click, or an arrow key's arrival, at a name. */
  pick(name: string, keys: Keys = {}): void {
    this.cursor = name;
    if (keys.isStretch) {
      const stretch = this.#stretchTo(name);
      this.names = keys.isToggle ? new Set([...this.names, ...stretch]) : new Set(stretch);
      return;
    }
    this.#anchor = name;
    if (keys.isToggle) this.toggle(name);
    else this.names = new Set([name]);
  }

  /** One more or one less. */
  toggle(name: string): void {
    const names = new Set(this.names);
    if (!names.delete(name)) names.add(name);
    this.names = names;
    this.cursor = name;
    this.#anchor = name;
  }

  /** Moves the cursor by so many names; Ctrl moves without selecting. */
  step(by: number, keys: Keys = {}): string | undefined {
    const order = this.order();
    if (order.length === 0) return undefined;
    const at = order.indexOf(this.cursor);
    // The first press of an arrow arrives at an end.
    const from = at === -1 ? (by > 0 ? -1 : order.length) : at;
    const bounded = Math.min(Math.max(from + by, 0), order.length - 1);
    const name = order[at === -1 && by > 1 ? 0 : bounded];
    if (name === undefined) return undefined;
    this.goTo(name, keys);
    return name;
  }

  /** Arrives at a name by a key; Ctrl moves without selecting. */
  goTo(name: string, keys: Keys = {}): void {
    if (keys.isToggle && !keys.isStretch) this.cursor = name;
    else this.pick(name, keys);
  }

  all(): void {
    this.names = new Set(this.order());
  }

  clear(): void {
    this.names = new Set();
    this.#anchor = this.cursor;
  }

  /** Selects exactly these, as a rubber band does; `kept` are those that were selected before. */
  only(names: Iterable<string>, kept: Iterable<string> = []): void {
    this.names = new Set([...kept, ...names]);
  }

  /** Starts anew in another list, the cursor at `cursor`. */
  reset(cursor = ""): void {
    this.names = new Set();
    this.cursor = cursor;
    this.#anchor = cursor;
  }

  /** Forgets what is not there any more. */
  prune(): void {
    const there = new Set(this.order());
    if ([...this.names].some((name) => !there.has(name))) {
      this.names = new Set([...this.names].filter((name) => there.has(name)));
    }
    if (!there.has(this.#anchor)) this.#anchor = this.cursor;
  }

  /** Follows an entry to its new name. */
  rename(from: string, to: string): void {
    if (this.names.has(from)) {
      this.names = new Set([...this.names].map((name) => (name === from ? to : name)));
    }
    if (this.cursor === from) this.cursor = to;
    if (this.#anchor === from) this.#anchor = to;
  }

  /** The first name that begins with what was typed, from the cursor on and round to the start. */
  find(typed: string): string | undefined {
    const order = this.order();
    const at = Math.max(0, order.indexOf(this.cursor));
    // One letter again goes on to the next; more letters may stay where they fit already.
    const from = typed.length === 1 ? at + 1 : at;
    const wanted = typed.toLocaleLowerCase();
    for (let step = 0; step < order.length; step += 1) {
      const name = order[(from + step) % order.length];
      if (name?.toLocaleLowerCase().startsWith(wanted)) return name;
    }
    return undefined;
  }

  #stretchTo(name: string): readonly string[] {
    const order = this.order();
    const to = order.indexOf(name);
    const from = order.indexOf(this.#anchor);
    if (from === -1) this.#anchor = name;
    return from === -1 ? [name] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
  }
}
