// The first page: the files and every other view.
import { start } from "./lib/start.ts";
import { watchStyles } from "./lib/state/part.ts";
import { router } from "./lib/state/router.svelte.ts";
import { requireSession } from "./lib/state/session.svelte.ts";
import { registerWorker } from "./lib/state/worker.ts";
import App from "./routes/App.svelte";

if (requireSession()) {
  router.start();
  watchStyles();
  registerWorker();
  void start(App);
}
