import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { listJobs } from "../api/files.ts";
import type { Job } from "../api/types.ts";
import { JobCancelled, Jobs, shareDone } from "./jobs.svelte.ts";

vi.mock("../api/files.ts", () => ({ listJobs: vi.fn(), cancelJob: vi.fn() }));

const job = (more: Partial<Job>): Job => ({
  id: "1",
  kind: "copy",
  state: "running",
  done_bytes: 0,
  total_bytes: 0,
  done_items: 0,
  total_items: 0,
  trash: [],
  ...more,
});

/** The server's answers, given when the test wants. */
let answers: ((all: Job[]) => void)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  answers = [];
  vi.mocked(listJobs).mockReset().mockImplementation(() => new Promise((resolve) => answers.push(resolve)));
});
afterEach(() => void vi.useRealTimers());

/** Answers the next question, once it is asked. */
async function answer(all: Job[]) {
  for (let waits = 0; answers.length === 0 && waits < 20; waits += 1) await vi.advanceTimersByTimeAsync(50);
  answers.shift()?.(all);
  await vi.advanceTimersByTimeAsync(0);
}

it("knows how much is done by bytes, else by items, else not at all", () => {
  expect(shareDone(job({ done_bytes: 1, total_bytes: 4, done_items: 3, total_items: 4 }))).toBe(0.25);
  expect(shareDone(job({ done_items: 3, total_items: 4 }))).toBe(0.75);
  expect(shareDone(job({}))).toBeUndefined();
  expect(shareDone(job({ state: "done" }))).toBe(1);
  expect(shareDone(job({ done_bytes: 9, total_bytes: 4 }))).toBe(1);
});

it("takes nothing for lost that began after the question was asked", async () => {
  const jobs = new Jobs();
  const ends: string[] = [];
  const follow = (id: string) => void jobs.follow(id, id).then(() => ends.push(`${id} done`), () => ends.push(`${id} lost`));
  follow("1");
  follow("2");
  // Asked when only the first was there.
  await answer([job({ id: "1", state: "done" })]);
  expect(ends).toEqual(["1 done"]);
  await answer([job({ id: "1", state: "done" }), job({ id: "2", state: "done" })]);
  expect(ends).toEqual(["1 done", "2 done"]);
});

it("says that work is lost which the server does not know", async () => {
  const jobs = new Jobs();
  const end = expect(jobs.follow("1", "")).rejects.toThrow("lost");
  await answer([]);
  await end;
});

it("asks while nobody tells, and shows only what takes a while", async () => {
  const jobs = new Jobs();
  const end = jobs.follow("1", "Copying");
  await answer([job({})]);
  expect(jobs.all).toEqual([]);
  await answer([job({ done_items: 1 })]);
  expect(jobs.all).toEqual([job({ done_items: 1 })]);
  expect(jobs.labelOf("1")).toBe("Copying");
  await answer([job({ state: "done" })]);
  await end;
  // Whoever waited for it says so.
  expect(jobs.all).toEqual([]);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(answers).toEqual([]);
});

it("asks nothing while it is told", async () => {
  const jobs = new Jobs();
  jobs.setLive(true);
  const end = jobs.follow("1", "Copying");
  jobs.told(job({}));
  await vi.advanceTimersByTimeAsync(500);
  expect(jobs.all).toEqual([]);
  await vi.advanceTimersByTimeAsync(500);
  expect(jobs.all).toHaveLength(1);
  for (let step = 0; step < 100; step += 1) {
    jobs.told(job({ done_items: step }));
    await vi.advanceTimersByTimeAsync(500);
  }
  expect(jobs.all).toEqual([job({ done_items: 99 })]);
  jobs.told(job({ state: "done", trash: ["t"] }));
  expect(await end).toMatchObject({ trash: ["t"] });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(jobs.all).toEqual([]);
  expect(listJobs).not.toHaveBeenCalled();
});

it("knows the end of work that was told before anybody waited for it", async () => {
  const jobs = new Jobs();
  jobs.setLive(true);
  jobs.told(job({}));
  jobs.told(job({ state: "failed", code: "disk_full", error: "Full" }));
  await expect(jobs.follow("1", "Copying")).rejects.toMatchObject({ kind: "diskFull" });
  expect(jobs.all).toEqual([]);
  expect(listJobs).not.toHaveBeenCalled();
});

it("asks for what it is not told of: at first, after a silence, and after a break", async () => {
  const jobs = new Jobs();
  jobs.setLive(true);
  const end = expect(jobs.follow("1", "")).rejects.toThrow(JobCancelled);
  await vi.advanceTimersByTimeAsync(300);
  await answer([job({})]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(answers).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1100);
  await answer([job({})]);
  jobs.setLive(false);
  await answer([job({})]);
  await answer([job({})]);
  jobs.setLive(true);
  await answer([job({ state: "cancelled" })]);
  await end;
  expect(listJobs).toHaveBeenCalledTimes(5);
});

it("shows for a while how the work of another tab ended", async () => {
  const jobs = new Jobs();
  jobs.setLive(true);
  jobs.told(job({}));
  // What is over at once is nobody's news.
  jobs.told(job({ id: "2" }));
  jobs.told(job({ id: "2", state: "done" }));
  await vi.advanceTimersByTimeAsync(700);
  jobs.told(job({ state: "done" }));
  expect(jobs.all).toEqual([job({ state: "done" })]);
  await vi.advanceTimersByTimeAsync(4000);
  expect(jobs.all).toEqual([]);
});

it("believes no answer that is older than what it was told", async () => {
  const jobs = new Jobs();
  const end = jobs.follow("1", "");
  jobs.setLive(true);
  jobs.told(job({ state: "done" }));
  await end;
  await answer([job({})]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(jobs.all).toEqual([]);
});

it("looks for what another tab began where nobody tells of it", async () => {
  const jobs = new Jobs();
  jobs.setLive(false);
  await answer([job({})]);
  expect(jobs.all).toHaveLength(1);
});

it("asks no more once it is refused, whatever ran before", async () => {
  const jobs = new Jobs();
  const end = expect(jobs.follow("1", "")).rejects.toThrow("refused");
  await answer([job({})]);
  vi.mocked(listJobs).mockRejectedValue(new Error("refused"));
  await vi.advanceTimersByTimeAsync(1000);
  await end;
  const asked = vi.mocked(listJobs).mock.calls.length;
  await vi.advanceTimersByTimeAsync(10_000);
  expect(vi.mocked(listJobs).mock.calls.length).toBe(asked);
});

it("says of what failed why, by its code, and what is left", async () => {
  const jobs = new Jobs();
  const end = jobs.follow("1", "").catch((cause: unknown) => cause);
  await answer([job({ state: "failed", error: "A sentence", code: "cannot_delete", failed: ["a/b"] })]);
  expect(await end).toMatchObject({ name: "Problem", kind: "remains", failed: ["a/b"] });
});

it("tells everybody who waits for the same work", async () => {
  const jobs = new Jobs();
  const ends: string[] = [];
  for (const who of ["one", "other"]) void jobs.follow("1", "").then(() => ends.push(who));
  jobs.told(job({ state: "done" }));
  await vi.advanceTimersByTimeAsync(0);
  expect(ends).toEqual(["one", "other"]);
});
