import { beforeEach, expect, it, vi } from "vitest";
import { Problem } from "../api/problem.ts";
import { forgetToken, keepToken, readToken, tokenAgeMs } from "../api/token.ts";
import { renew } from "../api/users.ts";
import type { Claims } from "./claims.ts";
import { Renewal } from "./renewal.ts";

vi.mock("../api/users.ts", () => ({ renew: vi.fn() }));
const asked = vi.mocked(renew);
/** What every tab waits for. */
let line: Promise<void>;
/** The claims of one browser's tabs: one after the other. */
const claims = {
  wait: async () => {
    const before = line;
    let release: () => void = () => undefined;
    line = new Promise((done) => (release = done));
    await before;
    return release;
  },
} as unknown as Claims;

beforeEach(() => {
  line = Promise.resolve();
  asked.mockReset();
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
    removeItem: (key: string) => kept.delete(key),
  });
});

it("gets one token for all tabs, however many ask", async () => {
  keepToken("old");
  let count = 0;
  asked.mockImplementation(() => Promise.resolve(`new ${(count += 1)}`));
  const tabs = [new Renewal(claims), new Renewal(claims)];
  const answers = await Promise.all(tabs.flatMap((tab) => [tab.renew("old"), tab.renew("old")]));
  expect(answers).toEqual([true, true, true, true]);
  expect([readToken(), count]).toEqual(["new 1", 1]);
});

it("tells a session that is over from a larder that is away", async () => {
  keepToken("old");
  const tab = new Renewal(claims);
  asked.mockRejectedValueOnce(new Problem("signedOut", "over"));
  expect(await tab.renew("old")).toBe(false);
  asked.mockRejectedValueOnce(new Problem("away", "away"));
  await expect(tab.renew("old")).rejects.toMatchObject({ kind: "away" });
  asked.mockResolvedValueOnce("new");
  expect(await tab.renew("old")).toBe(true);
  // Signed out meanwhile, here or in another tab.
  forgetToken();
  expect(await tab.renew("new")).toBe(false);
});

it("does not get one after the other where none of them is taken", async () => {
  keepToken("old");
  const tab = new Renewal(claims);
  asked.mockResolvedValueOnce("new");
  expect(await tab.renew("old")).toBe(true);
  expect(await tab.renew("new")).toBe(false);
  // A day later it is another matter.
  keepToken("new", Date.now() - 24 * 60 * 60 * 1000);
  asked.mockResolvedValueOnce("newer");
  expect(await tab.renew("new")).toBe(true);
  expect(asked).toHaveBeenCalledTimes(2);
});

it("is over where a second factor is wanted first, and waits where another tab does not end", async () => {
  keepToken("old");
  asked.mockRejectedValueOnce(new Problem("secondFactorNeeded", "a code, please"));
  expect(await new Renewal(claims).renew("old")).toBe(false);
  const taken = { ...claims, wait: () => Promise.reject(new DOMException("too long", "TimeoutError")) };
  await expect(new Renewal(taken).renew("old")).rejects.toMatchObject({ kind: "away" });
});

it("knows how old a token is, also when the clock is set back or nobody noted it", () => {
  forgetToken();
  expect(tokenAgeMs(5)).toBe(5);
  keepToken("a", 1000);
  expect(tokenAgeMs(1500)).toBe(500);
  expect(tokenAgeMs(900)).toBe(Infinity);
});
