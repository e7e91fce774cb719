// Svelte's settings, read by Vite's plugin, svelte-check and the linter alike.
import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: { runes: true },
};
