import { endpoints } from "virtual:endpoints";
import { expect, it } from "vitest";
import de from "../../texts/de.json";
import en from "../../texts/en.json";
import { aboutEndpoint, FILE_ENDPOINTS, inGroups, keyOf, READ_ENDPOINTS } from "./endpoints.ts";

/** For whoever is signed in; no role has a say. */
const OF_EVERYBODY = [
  ...["/api/user/logout", "/api/user/get_self", "/api/user/edit_self", "/api/role/self"],
  ...["/api/user/sessions", "/api/user/end_session", "/api/user/renew", "/api/user/totp"],
  ...["/api/key/create", "/api/key/get_all", "/api/key/delete"],
];
const byRole = endpoints.map((one) => one.path).filter((path) => !OF_EVERYBODY.includes(path));

it("knows what is at stake, and does not guess", () => {
  const risks = (paths: string[]) => paths.map((path) => aboutEndpoint(path).risk);
  expect(risks(["/api/finder", "/api/jobs/cancel", "/api/resources"])).toEqual(["low", "low", "low"]);
  expect(risks(["/api/upload", "/api/trash/empty"])).toEqual(["medium", "medium"]);
  expect(risks(["/api/command", "/api/get_logs", "/api/user/edit"])).toEqual(["high", "high", "high"]);
  for (const path of ["/api/new_thing", "constructor"]) {
    expect(aboutEndpoint(path)).toEqual({ label: undefined, risk: "high" });
  }
});

it("makes the keys of texts from paths and groups", () => {
  expect(keyOf("/api/user/get_all")).toBe("userGetAll");
  expect(keyOf("/update_start_exit_program")).toBe("updateStartExitProgram");
  expect(keyOf("Files and folders")).toBe("filesAndFolders");
});

it("has words in every language for each endpoint and group, and none for what is not there", () => {
  expect(byRole.length).toBeGreaterThan(40);
  const wanted = [
    ...byRole.map((path) => `endpoint.${keyOf(path)}`),
    ...new Set(endpoints.map((one) => `group.${keyOf(one.group)}`)),
    "group.unknown",
  ];
  for (const catalogue of [en, de]) {
    const there = Object.keys(catalogue).filter((key) => /^(endpoint|group)\./.test(key));
    expect(there.sort()).toEqual(wanted.sort());
  }
});

it("has what belongs together side by side, the files first and the unknown last", () => {
  expect(inGroups(["/x", "/api/ftp/start", "/api/command", "/api/upload", "/a", "/api/resources", "/api/finder"])).toEqual([
    { label: "group.filesAndFolders", paths: ["/api/finder", "/api/upload"] },
    { label: "group.system", paths: ["/api/resources", "/api/command"] },
    { label: "group.ftp", paths: ["/api/ftp/start"] },
    { label: "group.unknown", paths: ["/a", "/x"] },
  ]);
  expect(inGroups(byRole).flatMap((group) => group.paths).sort()).toEqual([...byRole].sort());
  expect(inGroups([])).toEqual([]);
});

it("gives keepers of files nothing of high risk, and those who look nothing that changes", () => {
  expect(FILE_ENDPOINTS).toContain("/api/trash/empty");
  expect(FILE_ENDPOINTS.length).toBeGreaterThanOrEqual(19);
  expect(FILE_ENDPOINTS.filter((path) => aboutEndpoint(path).risk === "high")).toEqual([]);
  expect(READ_ENDPOINTS.filter((path) => aboutEndpoint(path).risk !== "low")).toEqual([]);
});
