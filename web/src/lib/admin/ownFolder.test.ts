import { beforeEach, expect, it, vi } from "vitest";
import { createFolder, listFolder } from "../api/files.ts";
import { Problem } from "../api/problem.ts";
import { nameOf, parentOf } from "../state/paths.ts";
import { lookAt, makeFolders } from "./ownFolder.ts";

vi.mock("../api/files.ts", () => ({ createFolder: vi.fn(), listFolder: vi.fn() }));

/** What is there: folders, and one file. */
let folders: Set<string>;
const FILE = "Family/notes";

beforeEach(() => {
  folders = new Set(["", "Family"]);
  const expectFolder = (path: string) => {
    if (path === FILE) throw new Problem("invalid", "", { code: "not_a_folder" });
    if (!folders.has(path)) throw new Problem("missing", "");
  };
  vi.mocked(listFolder).mockImplementation((path) => {
    expectFolder(path);
    const within = [...folders, FILE].filter((one) => one !== "" && parentOf(one) === path);
    const entry = { size: 0, modified: "", mime: "", writable: true };
    return Promise.resolve(within.map((one) => ({ ...entry, name: nameOf(one), type: one === FILE ? ("file" as const) : ("folder" as const) })));
  });
  vi.mocked(createFolder).mockImplementation((path, name) => {
    expectFolder(path);
    const made = path === "" ? name : `${path}/${name}`;
    if (folders.has(made) || made === FILE) throw new Problem("collision", "");
    folders.add(made);
    return Promise.resolve();
  });
  // As a question does: it refuses by what it promises.
  for (const mock of [vi.mocked(listFolder), vi.mocked(createFolder)] as { getMockImplementation: () => unknown; mockImplementation: (one: unknown) => unknown }[]) {
    const plain = mock.getMockImplementation() as (...given: unknown[]) => unknown;
    mock.mockImplementation((...given: unknown[]) => Promise.resolve().then(() => plain(...given)));
  }
});

it.each([
  ["Family", "folder"],
  ["Zoë", "nothing"],
  ["Family/Kids/Zoë", "nothing"],
  ["No/such/way", "nothing"],
  [FILE, "file"],
  [`${FILE}/Zoë`, "file"],
])("finds at %s: %s", async (path, found) => {
  expect(await lookAt(path)).toBe(found);
});

it("makes a folder with those above it", async () => {
  await makeFolders("Family/Kids/Zoë");
  await makeFolders("Zoë");
  // Once more, as after a try that failed later.
  await makeFolders("Family/Kids/Zoë");
  expect([...folders]).toEqual(["", "Family", "Family/Kids", "Family/Kids/Zoë", "Zoë"]);
});

it("makes nothing of a file", async () => {
  await expect(makeFolders(FILE)).rejects.toMatchObject({ kind: "collision" });
  await expect(makeFolders(`${FILE}/Zoë`)).rejects.toMatchObject({});
  expect([...folders]).toEqual(["", "Family"]);
});
