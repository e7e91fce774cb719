// Light or dark: what was chosen on larder's other pages, else what the system says.
import { readKept } from "../lib/state/keep.ts";

const DARK = "(prefers-color-scheme: dark)";

export function followTheme(): void {
  const query = matchMedia(DARK);
  const show = () => {
    const kept = readKept("theme");
    const isDark = kept === "dark" || (kept !== "light" && query.matches);
    document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  };
  show();
  // Older browsers know neither this nor a dark system.
  query.addEventListener?.("change", show);
}
