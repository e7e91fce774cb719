import { describe, expect, it } from "vitest";
import {
  codeIn,
  downloadAddress,
  folderAddress,
  pathIn,
  previewAddress,
  returnAddress,
  saysSessionIsOver,
  signInAddress,
} from "./address.ts";

const ORIGIN = "http://larder.local:6969";
const STRANGE = "a b/ä&c=d#e?f+g%2F/\"<x>";

describe("addresses", () => {
  it("bring any path through a query and back", () => {
    for (const path of ["docs", "docs/a b", STRANGE, "100%", "日本/😀"]) {
      for (const address of [folderAddress(path), previewAddress(path)]) {
        expect(pathIn(new URL(address, ORIGIN).search)).toBe(path);
      }
      const download = new URL(downloadAddress(path), ORIGIN);
      expect(download.searchParams.get("file_path")).toBe(path);
      expect(download.searchParams.has("inline")).toBe(false);
    }
    expect(folderAddress("")).toBe("/");
    expect(folderAddress("docs/a b")).toBe("/?path=docs/a%20b");
    expect(downloadAddress("a", true)).toBe("/api/download?file_path=a&inline=1");
  });

  it("lead back to the page first asked for", () => {
    for (const here of ["/", folderAddress(STRANGE), previewAddress(STRANGE)]) {
      for (const isOver of [false, true]) {
        const { search, pathname } = new URL(signInAddress(here, isOver), ORIGIN);
        expect(pathname).toBe("/auth");
        expect(returnAddress(search, ORIGIN)).toBe(here);
        expect(saysSessionIsOver(search)).toBe(isOver);
      }
    }
  });

  it.each([
    "https://evil.example/",
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "/auth?next=/",
    "/api/download?file_path=evil.html",
    "/web/assets/x.js",
    "//larder.local:6969@evil.example/",
    "/preview/../api/shutdown",
    "http://[",
    "//[",
    "",
  ])("never lead to %j", (wish) => {
    const search = `?next=${encodeURIComponent(wish)}`;
    expect(returnAddress(search, ORIGIN)).toBe("/");
  });

  it("lead to the first page where nothing was asked for", () => {
    expect(returnAddress("", ORIGIN)).toBe("/");
  });
});

it("finds a code behind the # and nowhere else", () => {
  expect(codeIn("#code=abcd-efgh-jkmn")).toBe("abcd-efgh-jkmn");
  expect(codeIn("#code=%20abcd%20")).toBe("abcd");
  for (const none of ["", "#", "#code=", "#other=x", "?code=x"]) expect(codeIn(none)).toBe("");
});
