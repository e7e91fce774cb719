import { describe, expect, it } from "vitest";
import { cleanPath, crumbsOf, isWithin, joinPath, nameOf, parentOf, resolvePath, stemLength, stepTowards } from "./paths.ts";

describe("paths", () => {
  it("are one however they are written", () => {
    for (const path of ["docs/a", "/docs/a", "docs/a/", "//docs//a//", "./docs/./a"]) {
      expect(cleanPath(path)).toBe("docs/a");
    }
    for (const root of ["", "/", ".", "//"]) expect(cleanPath(root)).toBe("");
  });

  it("lead from a folder to what lies below it", () => {
    expect(stepTowards("a/b/c", "")).toBe("a");
    expect(stepTowards("a/b/c", "a")).toBe("b");
    expect(stepTowards("a/b/c", "a/b")).toBe("c");
    for (const folder of ["a/b/c", "a/b/c/d", "x", "a/b2"]) expect(stepTowards("a/b/c", folder)).toBe("");
  });

  it("are joined and taken apart", () => {
    expect(joinPath("", "a")).toBe("a");
    expect(joinPath("docs", "a")).toBe("docs/a");
    expect(parentOf("docs/a")).toBe("docs");
    expect(parentOf("docs")).toBe("");
    expect(parentOf("")).toBe("");
    expect(nameOf("docs/a.txt")).toBe("a.txt");
    expect(nameOf("")).toBe("");
  });

  it("are found from where they are written", () => {
    expect(resolvePath("notes/a", "b.md")).toBe("notes/a/b.md");
    expect(resolvePath("notes/a", "../b.md")).toBe("notes/b.md");
    expect(resolvePath("notes", "/b.md")).toBe("b.md");
    expect(resolvePath("", "./img/1.png")).toBe("img/1.png");
    expect(resolvePath("notes", "../../../b.md")).toBe("b.md");
  });

  it("have a way that leads to them", () => {
    expect(crumbsOf("")).toEqual([]);
    expect(crumbsOf("a/b")).toEqual([
      { name: "a", path: "a" },
      { name: "b", path: "a/b" },
    ]);
  });

  it("are within a rule by whole parts", () => {
    expect(isWithin("photos", "photos")).toBe(true);
    expect(isWithin("photos/a", "/photos/")).toBe(true);
    expect(isWithin("photos2", "photos")).toBe(false);
    expect(isWithin("photo", "photos")).toBe(false);
    expect(isWithin("anything", "")).toBe(true);
  });

  it("have a stem that a rename selects", () => {
    expect(stemLength("a.txt")).toBe(1);
    expect(stemLength("a.tar.gz")).toBe(5);
    expect(stemLength(".profile")).toBe(8);
    expect(stemLength("none")).toBe(4);
  });
});
