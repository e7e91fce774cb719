import { expect, it } from "vitest";
import { FILE_ENDPOINTS } from "./endpoints.ts";
import { FAMILY, roleLabel, rolesWithRights, withFamily } from "./roles.ts";

it("gives the ready role everything for files and nothing of the owner's", () => {
  const owners = ["/api/user/create", "/api/role/edit", "/api/command", "/api/resources"];
  const before = Object.fromEntries([...FILE_ENDPOINTS, ...owners].map((path) => [path, ["admin"]]));
  const after = withFamily(before);
  for (const path of FILE_ENDPOINTS) expect(after[path], path).toEqual(["admin", FAMILY]);
  for (const path of owners) expect(after[path], path).toEqual(["admin"]);
  expect(Object.keys(after)).toEqual(Object.keys(before));
});

it("tells roles that allow something from mere names", () => {
  expect(rolesWithRights({ "/api/finder": ["admin", "guest"], "/api/copy": [] })).toEqual(
    new Set(["admin", "guest"]),
  );
});

it("has words for the roles larder knows, and the names of the others", () => {
  expect(roleLabel(FAMILY)).toBe("Family");
  expect(roleLabel("guest")).toBe("guest");
  expect(roleLabel("constructor")).toBe("constructor");
});
