import { expect, it, vi } from "vitest";
import { listSome } from "../api/files.ts";
import { addressOf, isAtHome, leadsToPictures, messageFor } from "./message.ts";

vi.mock("../api/files.ts", () => ({ listSome: vi.fn() }));
vi.stubGlobal("location", { origin: "http://nas.local:6969" });

const link = { path: "family/Summer", type: "folder" as const, read: true, write: false };
const entry = (name: string) => ({ name, type: "file" as const, size: 0, modified: "", mime: "", writable: true });
const { signal } = new AbortController();

const AT = "http://nas.local:6969/s/abc";

it("knows where guests reach larder, else where this page does", () => {
  expect(addressOf({ url: "/s/abc" }, "")).toBe(AT);
  expect(addressOf({ url: "/s/abc" }, "https://nas.example")).toBe("https://nas.example/s/abc");
});

it("says what it is for", () => {
  expect(messageFor(link, AT, true)).toBe("Here are our pictures: http://nas.local:6969/s/abc");
  expect(messageFor({ ...link, type: "file" }, AT, true)).toBe("Here is a picture for you: http://nas.local:6969/s/abc");
  expect(messageFor(link, AT, false)).toContain("Summer");
  expect(messageFor({ ...link, read: false, write: true }, AT, true)).toContain("Summer");
  expect(new Set([true, false].flatMap((write) => [true, false].map((pictures) => messageFor({ ...link, write }, AT, pictures)))).size).toBe(4);
});

it("knows pictures by what is seen of a folder, or by a file's name", async () => {
  vi.mocked(listSome).mockResolvedValueOnce([entry("a.jpg"), entry("b.mp4"), entry("notes.txt"), entry(".c")]);
  expect(await leadsToPictures({ path: "x", type: "folder" }, signal)).toBe(true);
  vi.mocked(listSome).mockResolvedValueOnce([]);
  expect(await leadsToPictures({ path: "x", type: "folder" }, signal)).toBe(false);
  vi.mocked(listSome).mockRejectedValueOnce(new Error("away"));
  expect(await leadsToPictures({ path: "x", type: "folder" }, signal)).toBe(false);
  expect(await leadsToPictures({ path: "x/a.heic", type: "file" }, signal)).toBe(true);
  expect(await leadsToPictures({ path: "x/a.pdf", type: "file" }, signal)).toBe(false);
});

it.each([
  ["192.168.1.5", true], ["10.0.0.1", true], ["172.20.1.1", true], ["172.32.1.1", false], ["127.0.0.1", true], ["nas", true],
  ["nas.local", true], ["nas.fritz.box", true], ["[fd00::1]", true], ["[2001:db8::1]", false], ["fd.example", false],
  ["nas.example.com", false], ["93.184.216.34", false],
])("%s is reached at home only: %s", (host, isHome) => {
  expect(isAtHome(host)).toBe(isHome);
});
