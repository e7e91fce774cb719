// Keeps the screen on while something is looked at without touching it, where the browser can.

/** Keeps it on; returns the way to let it go. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | undefined;
  let isOver = false;
  const ask = () => {
    if (document.visibilityState === "hidden" || !("wakeLock" in navigator)) return;
    navigator.wakeLock.request("screen").then(
      (one) => {
        lock = one;
        if (isOver) void one.release();
      },
      // Refused, by a battery that is low for one: then it goes dark as always.
      () => undefined,
    );
  };
  ask();
  // The browser takes it back when the page is hidden.
  document.addEventListener("visibilitychange", ask);
  return () => {
    isOver = true;
    document.removeEventListener("visibilitychange", ask);
    void lock?.release();
  };
}
