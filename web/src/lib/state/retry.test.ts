import { describe, expect, it } from "vitest";
import { Problem } from "../api/problem.ts";
import { isPassing, isPassingForReaders, keepTrying, waitAfter } from "./retry.ts";

const AWAY = new Problem("away", "");

/** Fails with each cause in turn, then answers. */
function failing(...causes: unknown[]) {
  return () => {
    const cause = causes.shift();
    return cause === undefined ? Promise.resolve("there") : Promise.reject(cause as Error);
  };
}

describe("patience", () => {
  it("grows, but never beyond fifteen seconds", () => {
    expect([0, 1, 2, 3, 4, 30].map(waitAfter)).toEqual([1, 2, 4, 8, 15, 15]);
  });

  it("goes on until there is an answer, and tells of each failure", async () => {
    const told: string[] = [];
    const waits: number[] = [];
    const answer = await keepTrying(
      failing(AWAY, new Problem("storageAbsent", ""), new Problem("driveBusy", "", { retryAfterS: 30 })),
      (problem) => told.push(problem.kind),
      new AbortController().signal,
      async (seconds) => void waits.push(seconds),
    );
    expect(answer).toBe("there");
    expect(told).toEqual(["away", "storageAbsent", "driveBusy"]);
    // The server's own wish comes before ours.
    expect(waits).toEqual([1, 2, 30]);
  });

  it("ends at what another try would not change", async () => {
    const refused = new Problem("refused", "");
    const signal = new AbortController().signal;
    await expect(keepTrying(failing(refused), () => undefined, signal)).rejects.toBe(refused);
    expect(isPassing(new Error("no problem of ours"))).toBe(false);
  });

  it("ends when nobody wants the answer any more", async () => {
    const cancel = new AbortController();
    const tries = keepTrying(
      failing(AWAY, AWAY, AWAY),
      () => undefined,
      cancel.signal,
      async () => cancel.abort(),
    );
    await expect(tries).rejects.toHaveProperty("name", "AbortError");
  });

  it("lets readers come again when larder has too much to do, and nobody else", () => {
    const tooSoon = new Problem("tooSoon", "");
    expect([isPassingForReaders(tooSoon), isPassing(tooSoon)]).toEqual([true, false]);
    expect([isPassingForReaders(AWAY), isPassingForReaders(new Problem("refused", ""))]).toEqual([true, false]);
  });
});
