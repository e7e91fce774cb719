import { afterEach, expect, expectTypeOf, it, vi } from "vitest";
import type { Answer, Body, Endpoint, Form, Query } from "./call.ts";
import { get, hooks, post, readBlob } from "./http.ts";
import type { Entry } from "./types.ts";

afterEach(() => void vi.unstubAllGlobals());

/** Has every question answered with `answer`; notes what was asked. */
function server(answer: unknown) {
  const asked = vi.fn<(address: string, init: RequestInit) => Promise<Response>>();
  asked.mockImplementation(() => Promise.resolve(Response.json(answer)));
  vi.stubGlobal("fetch", asked);
  return asked;
}

it("puts what is asked into the address, and leaves out what is not", async () => {
  const asked = server([]);
  await get("/api/get_logs", { limit: 20, before: undefined });
  await get("/api/trash");
  await get("/api/events", { path: ["a b", "c&d"] });
  expect(asked.mock.calls.map(([address]) => address)).toEqual([
    "/api/get_logs?limit=20",
    "/api/trash",
    "/api/events?path=a+b&path=c%26d",
  ]);
});

it("sends JSON and answers with it", async () => {
  const asked = server({ status: "Cancelled" });
  expect(await post("/api/jobs/cancel", { id: "7" })).toEqual({ status: "Cancelled" });
  const [address, init] = asked.mock.calls[0] ?? [];
  expect([address, init?.method, init?.body]).toEqual(["/api/jobs/cancel", "POST", '{"id":"7"}']);
});

it("knows no endpoint, method or field that larder's document of the API does not have", () => {
  // Checked when types are; never run.
  const never = async () => {
    // @ts-expect-error no such endpoint
    await get("/api/finder2");
    // @ts-expect-error it is asked by POST
    await get("/api/move");
    // @ts-expect-error no such question
    await get("/api/finder", { folder: "docs" });
    // @ts-expect-error what is needed is missing
    await post("/api/jobs/cancel", {});
    // @ts-expect-error no such field
    await post("/api/jobs/cancel", { id: "7", now: true });
    // @ts-expect-error nothing is asked
    await post("/api/restart", { now: true });
    // @ts-expect-error no such answer
    return (await get("/api/finder")).folders;
  };
  expect(never).toBeTypeOf("function");
  expectTypeOf<"/api/finder2">().not.toExtend<Endpoint>();
  expectTypeOf<Query<"/api/finder">>().toEqualTypeOf<{ path?: string; details?: string }>();
  expectTypeOf<NonNullable<Answer<"/api/finder">["entries"]>>().toEqualTypeOf<Entry[]>();
  expectTypeOf<Answer<"/api/get_version">>().toEqualTypeOf<{
    version: string;
    ca_fingerprint?: string;
  }>();
  expectTypeOf<Body<"/api/jobs/cancel">>().toEqualTypeOf<{ id: string }>();
  expectTypeOf<Body<"/api/restart">>().toEqualTypeOf<Record<string, never>>();
  expectTypeOf<Form<"/api/upload">["file"]>().toEqualTypeOf<string[]>();
});

it("takes a large file that is long in coming for no sign of a larder that is away", async () => {
  vi.useFakeTimers();
  const reached = vi.spyOn(hooks, "onReach");
  try {
    const never = (_: string, { signal }: RequestInit) => new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted"))));
    vi.stubGlobal("fetch", vi.fn(never));
    const ended = expect(readBlob("/large", undefined, 90_000)).rejects.toMatchObject({ kind: "fault" });
    await vi.advanceTimersByTimeAsync(90_000);
    await ended;
    expect(reached).not.toHaveBeenCalledWith(false);
  } finally {
    vi.useRealTimers();
    reached.mockRestore();
  }
});
