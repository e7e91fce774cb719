import { beforeEach, expect, it, vi } from "vitest";
import { complain, transferAll } from "../state/operations.svelte.ts";
import { listing } from "../state/listing.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { bringFiles } from "./bring.ts";
import { drag } from "./drag.svelte.ts";
import { Drops } from "./drops.svelte.ts";
import { readDropped } from "./dropped.ts";

vi.mock("../state/operations.svelte.ts", () => ({ complain: vi.fn(), transferAll: vi.fn() }));
vi.mock("./bring.ts", () => ({ bringFiles: vi.fn() }));
vi.mock("./dropped.ts", async (original) => ({ ...(await original<object>()), readDropped: vi.fn() }));

let mayUpload = true;
const drops = () => new Drops(() => mayUpload);

/** A drag over the page; `types` says what it brings. */
function dragging(types: string[], more: Partial<DragEvent> = {}) {
  const dataTransfer = { types, dropEffect: "", items: [] };
  return { dataTransfer, ctrlKey: false, preventDefault: vi.fn(), ...more } as unknown as DragEvent;
}

beforeEach(() => {
  vi.clearAllMocks();
  mayUpload = true;
  listing.shownPath = "docs";
  drag.end();
  vi.spyOn(session, "may").mockReturnValue(true);
});

it("offers itself as long as files are anywhere over the page", () => {
  const all = drops();
  const event = dragging(["Files"]);
  all.hover(event, 1);
  all.hover(event, 1);
  all.hover(event, -1);
  expect(all.isOffered).toBe(true);
  expect(event.dataTransfer?.dropEffect).toBe("copy");
  expect(event.preventDefault).toHaveBeenCalledTimes(3);
  // A folder under the pointer offers itself instead.
  drag.over = "docs/inner";
  expect(all.isOffered).toBe(false);
  drag.over = undefined;
  all.hover(event, -1);
  expect(all.isOffered).toBe(false);
  all.hover(event, -1);
  all.hover(event, 1);
  expect(all.isOffered).toBe(true);
});

it("offers nothing to entries of the page, nor where nothing may be put", () => {
  const all = drops();
  const own = dragging(["application/x-larder"]);
  all.hover(own, 1);
  expect(all.isOffered).toBe(false);
  expect(own.preventDefault).not.toHaveBeenCalled();
  mayUpload = false;
  const files = dragging(["Files"]);
  all.hover(files, 1);
  expect(all.isOffered).toBe(false);
  expect(files.dataTransfer?.dropEffect).toBe("none");
});

it("uploads files into the folder they are dropped on", async () => {
  const brought = [{ folder: "docs/inner", file: new File([], "a") }];
  vi.mocked(readDropped).mockResolvedValue(brought);
  const event = dragging(["Files"]);
  await drops().dropOn(event, "docs/inner");
  expect(event.preventDefault).toHaveBeenCalled();
  expect(readDropped).toHaveBeenCalledWith(event.dataTransfer, "docs/inner");
  expect(bringFiles).toHaveBeenCalledWith(brought);
  expect(transferAll).not.toHaveBeenCalled();
});

it("takes no files into the folder on show where nothing may be put", async () => {
  mayUpload = false;
  await drops().dropOn(dragging(["Files"]), "docs");
  expect(bringFiles).not.toHaveBeenCalled();
  // Another folder has said yes by itself.
  vi.mocked(readDropped).mockResolvedValue([]);
  await drops().dropOn(dragging(["Files"]), "docs/inner");
  expect(bringFiles).toHaveBeenCalled();
});

it("leaves alone what is dropped beside all folders and is no file", () => {
  const event = dragging(["text/plain"]);
  drops().dropHere(event);
  expect(event.preventDefault).not.toHaveBeenCalled();
  expect(transferAll).not.toHaveBeenCalled();
});

it("moves entries of the page, and copies them with Ctrl where that is allowed", async () => {
  const drop = async (ctrlKey: boolean) => {
    drag.paths = ["docs/a", "docs/b"];
    await drops().dropOn(dragging(["application/x-larder"], { ctrlKey }), "docs/inner");
  };
  await drop(false);
  expect(transferAll).toHaveBeenLastCalledWith("move", ["docs/a", "docs/b"], "docs/inner");
  expect(drag.paths).toEqual([]);
  await drop(true);
  expect(transferAll).toHaveBeenLastCalledWith("copy", ["docs/a", "docs/b"], "docs/inner");
  vi.mocked(session.may).mockReturnValue(false);
  await drop(true);
  expect(transferAll).toHaveBeenLastCalledWith("move", ["docs/a", "docs/b"], "docs/inner");
});

it("says why files cannot be read", async () => {
  const cause = new Error("gone");
  vi.mocked(readDropped).mockRejectedValue(cause);
  await drops().dropOn(dragging(["Files"]), "docs");
  expect(complain).toHaveBeenCalledWith(cause);
});
