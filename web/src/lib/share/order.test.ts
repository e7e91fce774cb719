import { expect, it } from "vitest";
import type { Link } from "../api/links.ts";
import { inOrder, matching } from "./order.ts";

let lastId = 0;
const link = (path: string, more: Partial<Link> = {}): Link => ({
  id: (lastId += 1), path, label: "", type: "folder", read: true, write: false, has_password: false, downloads: 0, uploaded_bytes: 0,
  uploaded_files: 0, guest_folders: false, by: "", created: "2026-11-01T10:00:00Z", state: "open",
  expires: null, downloads_max: null, upload_bytes_max: null, upload_files_max: null, last_used: null, ...more,
});
const paths = (links: readonly Link[]) => links.map(({ path }) => path);

it("finds links by all words of what is shown", () => {
  const all = [link("Summer", { label: "Grandma" }), link("Summer 2", { label: "Uncle" })];
  const words = ({ label, path }: Link) => `${label} ${path}`;
  expect(paths(matching(all, " summer  GRAND", words))).toEqual(["Summer"]);
  expect(paths(matching(all, "", words))).toEqual(["Summer", "Summer 2"]);
  expect(paths(matching(all, "winter", words))).toEqual([]);
});

it("puts links in order, those that are over last", () => {
  const all = [
    link("b", { created: "2026-11-02T10:00:00Z", expires: "2026-12-24T10:00:00Z" }),
    link("a", { created: "2026-11-03T10:00:00Z", last_used: "2026-11-04T10:00:00Z" }),
    link("over", { created: "2026-11-09T10:00:00Z", state: "expired" }),
    link("c 10", { state: "used_up", expires: "2026-12-01T10:00:00Z" }),
    link("c 2", { last_used: "2026-11-05T10:00:00Z" }),
  ];
  const by = (order: Parameters<typeof inOrder>[1]) => paths(inOrder(all, order, ({ path }) => path ?? "", "en"));
  expect(by("newest")).toEqual(["a", "b", "c 10", "c 2", "over"]);
  expect(by("used")).toEqual(["c 2", "a", "b", "c 10", "over"]);
  expect(by("until")).toEqual(["c 10", "b", "a", "c 2", "over"]);
  expect(by("name")).toEqual(["a", "b", "c 2", "c 10", "over"]);
});
