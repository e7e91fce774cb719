// Lucide's icons for the guest's page, which draws them without Svelte.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Plugin } from "vite";

/** Where Lucide keeps its icons, one a file. */
const ICONS = resolve(import.meta.dirname, "node_modules/@lucide/svelte/dist/icons");

/** `lucide:<name>`: what an icon is drawn with, and nothing of what the other pages draw it by; see src/virtual.d.ts. */
export function icons(): Plugin {
  const prefix = "lucide:";
  return {
    name: "larder-icons",
    enforce: "pre",
    resolveId: (wanted) => (wanted.startsWith(prefix) ? `\0${wanted}` : undefined),
    load(wanted) {
      if (!wanted.startsWith(`\0${prefix}`)) return undefined;
      const file = join(ICONS, `${wanted.slice(prefix.length + 1)}.svelte`);
      const node = /"node": (\[\[.*?\]\])[, ]/.exec(readFileSync(file, "utf8"))?.[1];
      if (!node) this.error(`${file} is no icon as it used to be`);
      return `export default ${node};`;
    },
  };
}
