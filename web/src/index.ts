// The file manager's page.
import { start } from "./lib/start.ts";
import { requireSession } from "./lib/state/session.svelte.ts";
import Files from "./routes/Files.svelte";

if (requireSession()) void start(Files);
