// Patience: asks again by itself while the server or its drive is away. Knows no page.
import { Problem, type ProblemKind } from "../api/problem.ts";

/** Seconds between two tries at most: whoever plugs the drive in again is not kept waiting. */
const WAIT_S_MAX = 15;

/** Seconds to wait after the `attempt`-th failure, counted from 0: 1, 2, 4, 8, then 15. */
export function waitAfter(attempt: number): number {
  return Math.min(2 ** attempt, WAIT_S_MAX);
}

/** What goes over by itself. */
const PASSING: readonly ProblemKind[] = ["away", "storageAbsent", "driveBusy"];

/** Whether a failure is worth another try without the reader doing anything. */
export function isPassing(cause: unknown): cause is Problem {
  return cause instanceof Problem && PASSING.includes(cause.kind);
}

/** The same where larder also has too much to do for one reader at a time: what only reads can come again. */
export function isPassingForReaders(cause: unknown): cause is Problem {
  return isPassing(cause) || (cause instanceof Problem && cause.kind === "tooSoon");
}

/** Does `action` until it ends in anything but a passing failure; tells of each of those. */
export async function keepTrying<T>(
  action: () => Promise<T>,
  onPassing: (problem: Problem) => void,
  signal: AbortSignal,
  wait: (seconds: number, signal: AbortSignal) => Promise<void> = waitOrWake,
  passes: (cause: unknown) => cause is Problem = isPassing,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await action();
    } catch (cause) {
      signal.throwIfAborted();
      if (!passes(cause)) throw cause;
      onPassing(cause);
      await wait(Math.max(waitAfter(attempt), cause.retryAfterS ?? 0), signal);
      signal.throwIfAborted();
    }
  }
}

/** `keepTrying` for what only reads. */
export function keepReading<T>(
  action: () => Promise<T>,
  onPassing: (problem: Problem) => void,
  signal: AbortSignal,
): Promise<T> {
  return keepTrying(action, onPassing, signal, waitOrWake, isPassingForReaders);
}

/** Those who wait. */
const sleepers = new Set<() => void>();

/** Nobody waits any longer: the server is back. */
export function wakeAll(): void {
  for (const wake of [...sleepers]) wake();
}

/** Waits, but no longer once the network or the server is back or the page is looked at again. */
export function waitOrWake(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      sleepers.delete(done);
      window.removeEventListener("online", done);
      window.removeEventListener("focus", done);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    sleepers.add(done);
    window.addEventListener("online", done);
    window.addEventListener("focus", done);
    signal.addEventListener("abort", done);
  });
}
