import { beforeEach, expect, it, vi } from "vitest";
import { type Link, listLinks } from "../api/links.ts";
import { Problem } from "../api/problem.ts";
import { events } from "../state/events.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { concernsLink, Links } from "./links.svelte.ts";
import { mayShare, thingOf } from "./sharing.svelte.ts";

vi.mock("../api/links.ts", () => ({ listLinks: vi.fn() }));

const link = (path: string, state: Link["state"] = "open") => ({ path, state, label: "" }) as Link;
const entry = (type: "file" | "folder" | "other") => ({ type });
const mayShareAt = (entries: ReturnType<typeof entry>[], paths: string[]) =>
  mayShare(entries, (one) => paths[entries.indexOf(one)] ?? "");
const may = vi.spyOn(session, "may");

beforeEach(() => {
  vi.resetAllMocks();
  vi.useFakeTimers();
  may.mockReturnValue(true);
});

/** Links of somebody who has these, and the way to tell them of an event. */
async function started(all: Link[]) {
  const on = vi.spyOn(events, "on");
  vi.mocked(listLinks).mockResolvedValue(all);
  const links = new Links();
  links.start();
  await vi.runAllTimersAsync();
  return { links, tell: (path: string) => on.mock.lastCall?.[0]("change", { path }) };
}

it("knows what has a sign: what a link still leads to", async () => {
  const { links } = await started([link("a"), link("b", "used_up"), link("c", "expired"), link("d", "closed")]);
  expect(["a", "b", "c", "d", "a/b"].map((path) => links.isShared(path))).toEqual([true, true, false, false, false]);
  expect(links.at("c")).toHaveLength(1);
});

it("asks nothing where one may share nothing", () => {
  may.mockReturnValue(false);
  new Links().start();
  expect(listLinks).not.toHaveBeenCalled();
});

it("asks again once after changes where a link leads, and for no others", async () => {
  const { links, tell } = await started([link("family/Summer")]);
  tell("other/Summer");
  await vi.runAllTimersAsync();
  expect(listLinks).toHaveBeenCalledTimes(1);
  vi.mocked(listLinks).mockResolvedValue([link("family/Spring")]);
  for (const path of ["family/Summer/a.jpg", "family", "family/Summer"]) tell(path);
  await vi.runAllTimersAsync();
  expect(listLinks).toHaveBeenCalledTimes(2);
  expect(links.isShared("family/Spring")).toBe(true);
});

it("keeps what it knows while larder is away, and the last answer of several", async () => {
  const { links } = await started([link("a")]);
  vi.mocked(listLinks).mockRejectedValueOnce(new Problem("away", ""));
  await links.refresh();
  expect(links.isShared("a")).toBe(true);
  let late: (all: Link[]) => void = () => undefined;
  vi.mocked(listLinks).mockReturnValueOnce(new Promise((resolve) => (late = resolve))).mockResolvedValueOnce([link("b")]);
  const first = links.refresh();
  await links.refresh();
  late([link("old")]);
  await first;
  expect([links.isShared("b"), links.isShared("old")]).toEqual([true, false]);
});

it.each([
  ["a/b", "a/b", true], ["a/b/c", "a/b", true], ["a", "a/b", true], ["", "a/b", true], ["a/bc", "a/b", false], ["c", "a/b", false],
])("a change at %j concerns a link to %j: %s", (at, path, is) => {
  expect(concernsLink(at, { path })).toBe(is);
});

it("offers to share what the role and the paths allow", () => {
  session.self = { paths: '["docs"]', paths_write: '["drop"]' } as never;
  expect(mayShareAt([entry("file")], ["docs/a"])).toBe(true);
  expect(mayShareAt([entry("file")], ["drop/a"])).toBe(false);
  // Whoever may only write there may have others bring something.
  expect(mayShareAt([entry("folder")], ["drop/in"])).toBe(true);
  expect(mayShareAt([entry("folder")], ["elsewhere"])).toBe(false);
  expect(mayShareAt([entry("other")], ["docs/pipe"])).toBe(false);
  expect(mayShareAt([], [])).toBe(false);
  expect(mayShareAt([entry("file"), entry("folder")], ["docs/a", "docs/b"])).toBe(true);
  expect(mayShareAt([entry("file"), entry("file")], ["docs/a", "drop/b"])).toBe(false);
  may.mockImplementation((endpoint) => endpoint !== "/api/copy");
  expect(mayShareAt([entry("file"), entry("folder")], ["docs/a", "docs/b"])).toBe(false);
  expect(mayShareAt([entry("file")], ["docs/a"])).toBe(true);
  session.self = { paths: '["docs"]', paths_write: "[]" } as never;
  may.mockReturnValue(true);
  expect(mayShareAt([entry("file"), entry("file")], ["docs/a", "docs/b"])).toBe(false);
});

it("knows pictures among what is shared", () => {
  expect(thingOf({ type: "file", mime: "image/jpeg", name: "a/b.jpg" }, "a/b.jpg")).toEqual({ path: "a/b.jpg", type: "file", isPicture: true });
  expect(thingOf({ type: "folder", mime: "", name: "b.jpg" }, "a/b.jpg")).toEqual({ path: "a/b.jpg", type: "folder", isPicture: false });
});
