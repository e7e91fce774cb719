// Has the browser keep the pages' worker (src/worker.ts) beside larder's address.

/** Where it is, and what it answers for. */
const WORKER = "/web/worker.js";

/** Registers it where the browser allows one: over HTTPS, or on the machine itself. */
export function registerWorker(): void {
  // The development server has none.
  if (!import.meta.env.PROD || !isSecureContext || !("serviceWorker" in navigator)) return;
  // A certificate that is not trusted is refused here; everything but sharing goes on without.
  navigator.serviceWorker.register(WORKER, { scope: "/", updateViaCache: "none" }).catch(() => undefined);
}
