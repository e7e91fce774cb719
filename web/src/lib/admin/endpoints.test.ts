import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { aboutEndpoint, FILE_ENDPOINTS, inOrder } from "./endpoints.ts";

it("knows what is at stake, and does not guess", () => {
  expect(aboutEndpoint("/api/command")?.risk).toBe("high");
  expect(aboutEndpoint("/api/finder")?.risk).toBe("low");
  expect(aboutEndpoint("/api/new_thing")).toBeUndefined();
  expect(aboutEndpoint("constructor")).toBeUndefined();
});

it("has words for every endpoint that a role may be given", () => {
  const file = join(import.meta.dirname, "../../../../docs/openapi.json");
  const { paths } = JSON.parse(readFileSync(file, "utf8")) as {
    paths: Record<string, Record<string, { security: unknown[]; "x-acts-as"?: string[] }>>;
  };
  /** For whoever is signed in; no role has a say. */
  const ofEverybody = ["/api/user/logout", "/api/user/get_self", "/api/user/edit_self", "/api/role/self"];
  const byRole = Object.entries(paths)
    .filter(([path, ways]) => {
      const isGiven = Object.values(ways).some((way) => way.security.length > 0 && !way["x-acts-as"]);
      return isGiven && !ofEverybody.includes(path);
    })
    .map(([path]) => path);
  expect(byRole.length).toBeGreaterThan(40);
  expect(byRole.filter((path) => !aboutEndpoint(path))).toEqual([]);
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
