// The page that shows one file.
import { start } from "./lib/start.ts";
import { requireSession } from "./lib/state/session.svelte.ts";
import Preview from "./routes/Preview.svelte";

if (requireSession()) void start(Preview);
