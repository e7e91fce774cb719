// A key that is being made, and what came of it.
import { createKey, type KeyWish, type MadeKey } from "../api/keys.ts";
import { leftBecause } from "../state/session.svelte.ts";
import { describe } from "../state/words.ts";

export class KeyMaking {
  isBusy = $state(false);
  /** Why there is none, in words. */
  problem = $state("");
  made = $state.raw<MadeKey>();

  /** Says whether there is one now. */
  async make(wish: KeyWish): Promise<boolean> {
    this.isBusy = true;
    this.problem = "";
    try {
      this.made = await createKey(wish);
    } catch (cause) {
      if (!leftBecause(cause)) this.problem = describe(cause);
    } finally {
      this.isBusy = false;
    }
    return this.made !== undefined;
  }
}
