import { expect, it } from "vitest";
import { aboveOf, homesOf, homeTowards, placeOf, wayTo } from "./home.ts";

it("knows the topmost of what may be seen", () => {
  expect(homesOf(["b/x", "a/", "/a/b", "b", "b"])).toEqual(["a", "b"]);
  expect(homesOf(["a", ""])).toEqual([""]);
  expect(homesOf(["photos2", "photos"])).toEqual(["photos", "photos2"]);
  expect(homesOf([])).toEqual([]);
});

it("leads into the one folder, to the list of several, and nowhere else", () => {
  for (const path of ["", "family"]) expect(placeOf(path, ["family/anna"])).toBe("family/anna");
  for (const path of ["family/anna", "family/anna/x", "family/ben", "other"]) {
    expect(placeOf(path, ["family/anna"])).toBe(path);
  }
  for (const path of ["", "family"]) expect(placeOf(path, ["family/anna", "music"])).toBe("");
  expect(placeOf("music", ["family/anna", "music"])).toBe("music");
  for (const homes of [[""], []]) expect(placeOf("a", homes)).toBe("a");
});

it("goes up no further than there is something", () => {
  expect(aboveOf("family/anna/x", ["family/anna"])).toBe("family/anna");
  expect(aboveOf("family/anna", ["family/anna"])).toBe("family/anna");
  expect(aboveOf("family/anna", ["family/anna", "music"])).toBe("");
  expect(aboveOf("a/b", [""])).toBe("a");
  expect(aboveOf("", [""])).toBe("");
});

it("names the way from where one lands", () => {
  const names = (path: string, homes: string[]) => wayTo(path, homes, "Files").map((crumb) => crumb.name);
  expect(names("family/anna/x", ["family/anna"])).toEqual(["anna", "x"]);
  expect(names("family/anna", ["family/anna", "music"])).toEqual(["Files", "anna"]);
  expect(names("", ["family/anna", "music"])).toEqual(["Files"]);
  expect(names("a/b", [""])).toEqual(["Files", "a", "b"]);
  expect(names("other/x", ["family/anna"])).toEqual(["Files", "other", "x"]);
  expect(wayTo("family/anna/x", ["family/anna"], "Files")[1]?.path).toBe("family/anna/x");
});

it("finds its way back into the list", () => {
  expect(homeTowards("family/anna/x", ["family/anna", "music"])).toBe("family/anna");
  expect(homeTowards("family/anna", ["family/anna"])).toBe("");
});
