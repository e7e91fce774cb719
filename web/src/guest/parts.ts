// What is not there from the beginning: the first screen needs neither the viewer nor what sends files.
import { Problem } from "../lib/api/problem.ts";
import { keepReading } from "../lib/state/retry.ts";

const never = new AbortController().signal;

/** Loads a part, and tries until it is there. */
function loading<T>(load: () => Promise<T>): () => Promise<T> {
  const once = () => load().catch((cause: unknown) => Promise.reject(new Problem("away", String(cause))));
  return () => keepReading(once, () => undefined, never);
}

export const loadViewer = loading(() => import("./viewer.ts"));
export const loadBring = loading(() => import("./bring.ts"));
