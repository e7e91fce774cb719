import { beforeEach, expect, it, vi } from "vitest";
import type { Entry } from "../api/types.ts";
import { clipboard } from "../state/clipboard.svelte.ts";
import { listing } from "../state/listing.svelte.ts";
import { transferAll } from "../state/operations.svelte.ts";
import { selectionActions, type View } from "./selectionActions.ts";

vi.mock("../state/operations.svelte.ts", () => ({ complain: vi.fn(), transferAll: vi.fn() }));
vi.mock("../state/toasts.svelte.ts", () => ({ toasts: { say: vi.fn(), complain: vi.fn() } }));

const entry = (name: string): Entry => ({ name, type: "file", size: 0, modified: "", mime: "", writable: true });
const view = { open: vi.fn<View["open"]>(), rename: vi.fn<View["rename"]>(), ask: vi.fn<View["ask"]>() };
const actions = selectionActions(view);

beforeEach(() => {
  vi.clearAllMocks();
  listing.shownPath = "docs";
  listing.all = [entry("a"), entry("b"), entry("c")];
  listing.selection.reset();
  clipboard.clear();
});

it("is done to what is selected when it is called", () => {
  listing.selection.only(["c", "a"]);
  const selected = [entry("a"), entry("c")];
  actions.remove();
  expect(view.ask).toHaveBeenLastCalledWith({ what: "delete", entries: selected });
  actions.details();
  expect(view.ask).toHaveBeenLastCalledWith({ what: "details", entries: selected });
  actions.moveTo();
  expect(view.ask).toHaveBeenLastCalledWith({ what: "moveTo", paths: ["docs/a", "docs/c"] });
  listing.selection.only(["b"]);
  actions.copyTo();
  expect(view.ask).toHaveBeenLastCalledWith({ what: "copyTo", paths: ["docs/b"] });
  actions.open();
  expect(view.open).toHaveBeenCalledWith(entry("b"));
  actions.rename();
  expect(view.rename).toHaveBeenCalledWith("b");
});

it("opens and downloads nothing where nothing is selected", () => {
  actions.open();
  actions.download();
  actions.copyAddress();
  expect(view.open).not.toHaveBeenCalled();
});

it("pastes what was cut once, and what was copied as often as one likes", () => {
  listing.selection.only(["a", "b"]);
  actions.cut();
  listing.shownPath = "other";
  actions.paste();
  expect(transferAll).toHaveBeenLastCalledWith("move", ["docs/a", "docs/b"], "other");
  expect(clipboard.isEmpty).toBe(true);
  actions.copy();
  actions.paste();
  expect(transferAll).toHaveBeenLastCalledWith("copy", ["other/a", "other/b"], "other");
  expect(clipboard.isEmpty).toBe(false);
});
