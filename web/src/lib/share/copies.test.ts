import { beforeEach, expect, it, vi } from "vitest";
import { createFolder, listFolder, remove, transfer } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import { session } from "../state/session.svelte.ts";
import { freeName, makeCopies, nameFrom, placeFor } from "./copies.ts";

vi.mock("../api/files.ts", () => ({ createFolder: vi.fn(), listFolder: vi.fn(), remove: vi.fn(), transfer: vi.fn() }));

const entry = (name: string) => ({ name, type: "folder" as const, size: 0, modified: "", mime: "", writable: true });
const taken = new Problem("collision", "");

beforeEach(() => {
  vi.resetAllMocks();
  vi.mocked(createFolder).mockResolvedValue(undefined);
  vi.mocked(listFolder).mockResolvedValue([]);
  vi.mocked(remove).mockResolvedValue({ status: "Deleted", trash: [], permanent: false } as never);
  vi.mocked(transfer).mockResolvedValue({ status: "Copied", paths: [], trash: [] } as never);
});

it.each([
  ['["photos","anna"]', "anna/Trip/a.jpg", "anna/Shared"],
  ['[""]', "anna/Trip/a.jpg", "Shared"],
  ['["anna/Trip","anna"]', "anna/Trip/a.jpg", "anna/Shared"],
  // What is only read is copied to where one may write.
  ['["anna"]', "family/b.jpg", "anna/Shared"],
])("with %s what is in %s is copied into %s", (paths_write, path, place) => {
  session.self = { paths_write } as never;
  expect(placeFor(path)).toBe(place);
});

it.each([
  ["For Grandma", "For Grandma"],
  ["  a/b: c?  ", "a_b_ c_"],
  ["..", ""],
  [".hidden", "hidden"],
  ["x".repeat(300), "x".repeat(200)],
  ["\u{1f600}".repeat(80), "\u{1f600}".repeat(50)],
])("%j makes the name %j", (label, name) => {
  expect(nameFrom(label)).toBe(name);
});

it("finds a name that is free", () => {
  expect(freeName("Trip", [])).toBe("Trip");
  expect(freeName("Trip", ["trip", "Trip (1)"])).toBe("Trip (2)");
});

it("copies into a new folder and tells which", async () => {
  vi.mocked(createFolder).mockRejectedValueOnce(taken);
  vi.mocked(listFolder).mockResolvedValue([entry("Grandma")]);
  expect(await makeCopies(["a", "b"], "anna/Shared", "Grandma", "")).toBe("anna/Shared/Grandma (1)");
  expect(vi.mocked(createFolder).mock.calls).toEqual([["anna", "Shared"], ["anna/Shared", "Grandma (1)"]]);
  expect(transfer).toHaveBeenCalledWith("copy", ["a", "b"], "anna/Shared/Grandma (1)", "rename", false);
});

it("takes the next name where somebody else was quicker", async () => {
  vi.mocked(createFolder).mockResolvedValueOnce().mockRejectedValueOnce(taken);
  vi.mocked(listFolder).mockResolvedValueOnce([]).mockResolvedValueOnce([entry("Grandma")]);
  expect(await makeCopies(["a"], "Shared", "Grandma", "")).toBe("Shared/Grandma (1)");
});

it("leaves nothing where the copies cannot be made", async () => {
  vi.mocked(transfer).mockRejectedValueOnce(new Problem("diskFull", ""));
  await expect(makeCopies(["a"], "Shared", "Grandma", "")).rejects.toMatchObject({ kind: "diskFull" });
  expect(remove).toHaveBeenCalledWith("Shared/Grandma", "folder", { isPermanent: false, isJob: false });
});
