// Light or dark: what the reader chose, else what their system says.

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEPT_AS = "larder.theme";
const DARK = "(prefers-color-scheme: dark)";

const now = $state<{ theme: Theme }>({ theme: "system" });

/** What the reader chose. */
export function theme(): Theme {
  return now.theme;
}

/** Takes the theme chosen before, and follows the system and other tabs from now on. */
export function startTheme(): void {
  takeKept();
  matchMedia(DARK).addEventListener("change", show);
  window.addEventListener("storage", (event) => {
    if (event.key === KEPT_AS || event.key === null) takeKept();
  });
}

/** Changes the theme and remembers it. */
export function chooseTheme(wanted: Theme): void {
  now.theme = wanted;
  show();
  try {
    localStorage.setItem(KEPT_AS, wanted);
  } catch {
    // Then it lasts as long as this page.
  }
}

/** The theme a kept word names; what is none of ours means the system's. */
export function readTheme(kept: string | null): Theme {
  return THEMES.find((one) => one === kept) ?? "system";
}

function takeKept(): void {
  let kept: string | null = null;
  try {
    kept = localStorage.getItem(KEPT_AS);
  } catch {
    // The browser keeps nothing; the system decides.
  }
  now.theme = readTheme(kept);
  show();
}

function show(): void {
  const isDark = now.theme === "dark" || (now.theme === "system" && matchMedia(DARK).matches);
  document.documentElement.dataset["theme"] = isDark ? "dark" : "light";
  showGround(isDark);
}

/** The bar of a phone around the page: by itself it follows the system, whatever was chosen here. */
function showGround(isDark: boolean): void {
  const grounds = document.querySelectorAll<HTMLMetaElement>("meta[name=theme-color]");
  // The head has one for light and then one for dark.
  grounds.forEach((one, at) => (one.media = (at === 1) === isDark ? "all" : "not all"));
}
