// What is wrong with a name, in words.
import type { NameFault } from "../state/name.ts";
import type { TextKey } from "../state/texts.svelte.ts";

export const NAME_FAULTS: Record<NameFault, TextKey> = {
  missing: "name.missing",
  slash: "name.slash",
  dots: "name.dots",
  long: "name.long",
};
