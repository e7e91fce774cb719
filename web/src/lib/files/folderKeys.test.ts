import { beforeEach, expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { clipboard } from "../state/clipboard.svelte.ts";
import type { Press } from "../state/keys.ts";
import { listing } from "../state/listing.svelte.ts";
import type { Actions } from "./actions.ts";
import { FolderKeys } from "./folderKeys.ts";

const NAMES = ["apple", "banana split", "bananas", "cherry"];
const entry = (name: string): Entry => ({ name, type: "file", size: 0, modified: "", mime: "", writable: true });
const press = (key: string, held: Partial<Press> = {}): Press => ({
  key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held,
});

/** A view that does nothing but note what it was asked to do. */
function view() {
  const done: string[] = [];
  const note = (what: string) => () => void done.push(what);
  const names = ["open", "download", "rename", "cut", "copy", "paste", "moveTo", "copyTo", "remove",
    "copyAddress", "details", "newFolder", "newFile"];
  const actions = Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as Actions;
  const may = { download: true, rename: true, remove: true, move: true, copy: true };
  const state = { mayWrite: true, isTextMarked: false };
  const keys = new FolderKeys({
    actions: () => actions,
    may: () => may,
    mayWrite: () => state.mayWrite,
    step: (direction, held) => done.push(`step ${direction} ${held.isStretch} ${held.isToggle}`) > 0,
    open: ({ name }, isElsewhere) => void done.push(`open ${name} ${isElsewhere}`),
    goUp: note("up"),
    focusFilter: note("filter"),
    showKeys: note("keys"),
    openMenu: () => done.push("menu") > 0,
    showCursor: note("cursor"),
    isTextMarked: () => state.isTextMarked,
  });
  return { keys, done, may, state };
}

beforeEach(() => {
  listing.all = NAMES.map(entry);
  listing.filter = "";
  listing.selection.reset();
  clipboard.clear();
});

it("leads the cursor, with what is held", () => {
  const { keys, done } = view();
  expect(keys.obey("down", press("ArrowDown", { shiftKey: true }))).toBe(true);
  keys.obey("last", press("End", { metaKey: true }));
  expect(done).toEqual(["step down true false", "step last false true"]);
});

it("opens what the cursor is on, and means nothing where it is on nothing", () => {
  const { keys, done } = view();
  expect(keys.obey("open", press("Enter"))).toBe(false);
  listing.selection.reset("apple");
  expect(keys.obey("open", press("Enter", { ctrlKey: true }))).toBe(true);
  expect(done).toEqual(["open apple true"]);
});

it("does what is allowed, and takes the key even where it is not", () => {
  const { keys, done, may, state } = view();
  clipboard.take("copy", ["x"]);
  const all = ["rename", "delete", "cut", "paste"] as const;
  for (const command of all) expect(keys.obey(command, press(""))).toBe(true);
  expect(done).toEqual(["rename", "remove", "cut", "paste"]);
  Object.assign(may, { rename: false, remove: false, move: false });
  state.mayWrite = false;
  for (const command of all) expect(keys.obey(command, press(""))).toBe(true);
  state.mayWrite = true;
  clipboard.clear();
  keys.obey("paste", press("v"));
  expect(done).toHaveLength(4);
});

it("leaves copying to the browser where a text is marked or nothing may be copied", () => {
  const { keys, done, may, state } = view();
  expect(keys.obey("copy", press("c"))).toBe(true);
  state.isTextMarked = true;
  expect(keys.obey("copy", press("c"))).toBe(false);
  state.isTextMarked = false;
  may.copy = false;
  expect(keys.obey("copy", press("c"))).toBe(false);
  expect(done).toEqual(["copy"]);
});

it("takes back one thing after the other", () => {
  const { keys } = view();
  clipboard.take("move", ["x"]);
  listing.filter = "an";
  listing.selection.pick("bananas");
  keys.obey("escape", press("Escape"));
  expect([listing.filter, listing.selection.count, clipboard.isEmpty]).toEqual(["", 1, false]);
  keys.obey("escape", press("Escape"));
  expect([listing.selection.count, clipboard.isEmpty]).toEqual([0, false]);
  keys.obey("escape", press("Escape"));
  expect(clipboard.isEmpty).toBe(true);
});

it("goes to the name that is typed, in which a space is a letter", () => {
  const { keys, done } = view();
  for (const key of "bananas") keys.obey("type", press(key));
  expect(listing.selection.cursor).toBe("bananas");
  keys.obey("escape", press("Escape"));
  for (const key of "banana") keys.obey("type", press(key));
  keys.obey("toggle", press(" "));
  keys.obey("type", press("s"));
  expect([...listing.selection.names]).toEqual(["banana split"]);
  expect(done.filter((one) => one === "cursor")).toHaveLength(15);
});

it("takes a space for itself where nothing is being typed", () => {
  const { keys } = view();
  listing.selection.reset("apple");
  keys.obey("toggle", press(" "));
  expect([...listing.selection.names]).toEqual(["apple"]);
  keys.obey("toggle", press(" "));
  expect(listing.selection.count).toBe(0);
});

it("clears what covers the filter, and asks the view for the rest", () => {
  const { keys, done } = view();
  keys.obey("all", press("a"));
  expect(listing.selection.count).toBe(4);
  for (const command of ["filter", "help", "menu", "parent"] as const) expect(keys.obey(command, press(""))).toBe(true);
  expect(listing.selection.count).toBe(0);
  expect(done).toEqual(["filter", "keys", "menu", "up"]);
});
