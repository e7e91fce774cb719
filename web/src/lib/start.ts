// Puts a page on the screen, once its words are there.
import { mount, type Component } from "svelte";
import "../styles/tokens.css";
import "../styles/base.css";
import { startLanguage } from "./state/texts.svelte.ts";
import { startTheme } from "./state/theme.svelte.ts";

export async function start(page: Component): Promise<void> {
  startTheme();
  await startLanguage();
  const target = document.getElementById("app");
  if (target) mount(page, { target });
}
