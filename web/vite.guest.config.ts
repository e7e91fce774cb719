// How the guest's page is built: one entry of its own, small, and for browsers of old phones. It goes beside the
// other pages' build, which comes first.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { icons } from "./icons.ts";

/** The oldest that run it: iOS 12 (2018), an Android phone whose Chrome was last updated in 2018, Firefox of 2019. */
const TARGET = ["safari12", "chrome66", "firefox67"];
const DIST = join(import.meta.dirname, "dist");

/** Demands that nothing is bundled whose licence is not told: no package here, and icons that the other pages have, too. */
function licensed(): Plugin {
  return {
    name: "larder-licensed",
    generateBundle() {
      for (const id of this.getModuleIds()) {
        if (id.includes("/node_modules/")) this.error(`${id} is bundled, and no licence is told`);
      }
      const told = join(DIST, "licences.txt");
      if (!existsSync(told) || !readFileSync(told, "utf8").includes("@lucide/svelte")) {
        this.error("build the other pages first: their licences.txt has the icons'");
      }
    },
  };
}

export default defineConfig({
  base: "/web/",
  publicDir: false,
  plugins: [icons(), licensed()],
  build: {
    target: TARGET,
    cssTarget: TARGET,
    emptyOutDir: false,
    // What loads later has no parts of its own to be fetched beside it.
    modulePreload: false,
    assetsInlineLimit: 0,
    rollupOptions: {
      input: resolve(import.meta.dirname, "guest.html"),
      // An icon that two parts draw is no file of its own.
      output: { experimentalMinChunkSize: 1000 },
    },
  },
});
