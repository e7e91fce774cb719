// How the pages are built: three entries under /web/ (the guest's page is built by vite.guest.config.ts, the worker by
// vite.worker.config.ts), hashed files under /web/assets/, and the licences of what is bundled beside them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { homeScreen } from "./homeScreen.ts";
import { icons } from "./icons.ts";

const ENTRIES = { index: "index.html", login: "login.html", preview: "preview.html" };

/** The pages' addresses, as larder serves them; only the development server needs to be told. */
const PAGES: Record<string, string> = {
  "/": "/web/index.html",
  "/auth": "/web/login.html",
  "/preview": "/web/preview.html",
};
/** A guest's page, whatever its token; and what is asked of larder under it. */
const GUEST_PAGE = /^\/s\/[^/]+$/;
const GUEST_ASKS = "^/s/[^/]+/";

/** Lets `npm run dev` answer at the addresses larder uses. */
function pageAddresses(): Plugin {
  return {
    name: "larder-page-addresses",
    configureServer(server) {
      server.middlewares.use((request, _response, next) => {
        const [path = "", query] = (request.url ?? "").split("?");
        const page = GUEST_PAGE.test(path) ? "/web/guest.html" : PAGES[path];
        if (page) request.url = query === undefined ? page : `${page}?${query}`;
        next();
      });
    },
  };
}

/** Writes `licences.txt`: the licence of every package whose code is in the bundle. */
function licences(): Plugin {
  return {
    name: "larder-licences",
    generateBundle() {
      const folders = new Set<string>();
      for (const id of this.getModuleIds()) {
        if (!id.includes("/node_modules/")) continue;
        let folder = dirname(id.replace(/^\0/, "").split("?")[0] ?? "");
        while (!isPackage(folder) && folder !== dirname(folder)) folder = dirname(folder);
        folders.add(folder);
      }
      const parts = [...folders].sort().map((folder) => {
        const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
          name: string;
          version: string;
          license: string;
        };
        const file = readdirSync(folder).find((name) => /^licen[cs]e/i.test(name));
        if (!file) this.error(`${about.name} comes without a licence text`);
        const text = readFileSync(join(folder, file), "utf8").trim();
        return `${about.name} ${about.version} (${about.license})\n\n${text}\n`;
      });
      const source = parts.join(`\n${"-".repeat(72)}\n\n`);
      this.emitFile({ type: "asset", fileName: "licences.txt", source });
    },
  };
}

/** The larder that the development server asks. */
const LARDER = process.env["LARDER_URL"] ?? "http://127.0.0.1:6969";

/** larder's own description of its API, which a test of the server keeps true. */
const DOCUMENT = resolve(import.meta.dirname, "../docs/openapi.json");

interface Operation {
  tags: string[];
  security: unknown[];
  "x-acts-as"?: string[];
}

/** `virtual:endpoints`: the endpoints that a role may be given, in the order of larder's table; see src/virtual.d.ts. */
function endpoints(): Plugin {
  const id = "virtual:endpoints";
  return {
    name: "larder-endpoints",
    resolveId: (wanted) => (wanted === id ? `\0${id}` : undefined),
    load(wanted) {
      if (wanted !== `\0${id}`) return undefined;
      this.addWatchFile(DOCUMENT);
      const document = JSON.parse(readFileSync(DOCUMENT, "utf8")) as {
        paths: Record<string, Record<string, Operation>>;
        "x-doors": { path: string; group: string }[];
      };
      const { paths, "x-doors": doors } = document;
      const all = Object.entries(paths).flatMap(([path, methods]) => {
        const operations = Object.entries(methods);
        // What is open to all is nobody's to give; what acts as another has its rights from that.
        const [first] = operations.filter(([, one]) => one.security.length > 0 && !one["x-acts-as"]);
        if (!first) return [];
        return [{ path, group: first[1].tags[0] ?? "", isLooking: operations.every(([name]) => name === "get") }];
      });
      const others = doors.map((door) => ({ ...door, isLooking: false }));
      return `export const endpoints = ${JSON.stringify([...all, ...others])};`;
    },
  };
}

/** Whether a folder is a package of its own and not one of its inner parts. */
function isPackage(folder: string): boolean {
  const file = join(folder, "package.json");
  return existsSync(file) && "name" in (JSON.parse(readFileSync(file, "utf8")) as object);
}

export default defineConfig({
  base: "/web/",
  publicDir: false,
  plugins: [svelte(), pageAddresses(), endpoints(), icons(), homeScreen(), licences()],
  build: {
    // The policy allows no inline script; every browser that knows modules and is still looked
    // after preloads them by itself.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rollupOptions: {
      input: Object.fromEntries(
        Object.entries(ENTRIES).map(([name, file]) => [name, resolve(import.meta.dirname, file)]),
      ),
    },
  },
  server: {
    proxy: { "/api": LARDER, [GUEST_ASKS]: LARDER },
  },
  test: {
    include: ["src/**/*.test.ts"],
    environment: "node",
  },
});
