import { expect, it } from "vitest";
import { Line } from "./line.ts";

/** Jobs that end when told to, and note what became of them. */
function jobs() {
  const begun: string[] = [];
  const cancelled: string[] = [];
  const ends = new Map<string, () => void>();
  const job = (name: string) => (signal: AbortSignal) => {
    begun.push(name);
    return new Promise<void>((resolve) => {
      ends.set(name, resolve);
      signal.addEventListener("abort", () => {
        cancelled.push(name);
        resolve();
      });
    });
  };
  const end = async (name: string) => {
    ends.get(name)?.();
    await Promise.resolve();
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { begun, cancelled, job, end };
}

it("lets few through at once, and what is in sight first", async () => {
  const line = new Line(2);
  const { begun, job, end } = jobs();
  line.ask(() => 1, job("a"));
  line.ask(() => 1, job("b"));
  // Nothing begins within whoever asks.
  expect(begun).toEqual([]);
  await Promise.resolve();
  line.ask(() => 2, job("sharp"));
  line.ask(() => 1, job("around"));
  line.ask(() => 0, job("seen"));
  expect(begun).toEqual(["a", "b"]);
  await end("a");
  expect(begun).toEqual(["a", "b", "seen"]);
  await end("b");
  await end("seen");
  expect(begun).toEqual(["a", "b", "seen", "around", "sharp"]);
});

it("forgets what was taken out, and ends what was under way", async () => {
  const line = new Line(1);
  const { begun, cancelled, job, end } = jobs();
  const stopFirst = line.ask(() => 0, job("first"));
  const stopSecond = line.ask(() => 0, job("second"));
  line.ask(() => 0, job("third"));
  await Promise.resolve();
  stopSecond();
  stopFirst();
  await end("");
  expect(cancelled).toEqual(["first"]);
  expect(begun).toEqual(["first", "third"]);
});

it("tells when it is idle, and goes on after what fails", async () => {
  const line = new Line(1);
  const { job, end } = jobs();
  await line.untilIdle();
  line.ask(() => 0, () => Promise.reject(new Error("broken")));
  line.ask(() => 0, job("after"));
  let isOver = false;
  void line.untilIdle().then(() => (isOver = true));
  await end("");
  expect(isOver).toBe(false);
  await end("after");
  expect(isOver).toBe(true);
});
