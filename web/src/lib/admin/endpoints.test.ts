import { expect, it } from "vitest";
import { aboutEndpoint, FILE_ENDPOINTS, inOrder } from "./endpoints.ts";

it("knows what is at stake, and does not guess", () => {
  expect(aboutEndpoint("/api/command")?.risk).toBe("high");
  expect(aboutEndpoint("/api/finder")?.risk).toBe("low");
  expect(aboutEndpoint("/api/new_thing")).toBeUndefined();
  expect(aboutEndpoint("constructor")).toBeUndefined();
});

it("has what belongs together side by side, the unknown last", () => {
  expect(inOrder(["/x", "/api/command", "/a", "/api/finder"])).toEqual([
    "/api/finder",
    "/api/command",
    "/a",
    "/x",
  ]);
});

it("gives keepers of files nothing of high risk", () => {
  expect(FILE_ENDPOINTS).toContain("/api/trash/empty");
  expect(FILE_ENDPOINTS.filter((path) => aboutEndpoint(path)?.risk === "high")).toEqual([]);
});
