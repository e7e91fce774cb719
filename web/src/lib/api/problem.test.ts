import { describe, expect, it } from "vitest";
import { problemOf } from "./problem.ts";

/** An answer of larder's whose sentence says nothing: only the code may count. */
const said = (code: string) => JSON.stringify({ error: "Some sentence", code });

describe("an answer's problem", () => {
  it.each([
    [400, "invalid_path", "invalid"],
    [400, "invalid_name", "invalidName"],
    [400, "list_too_long", "tooMany"],
    [401, "not_permitted", "refused"],
    [401, "unauthorized", "signedOut"],
    [401, "token_expired", "signedOut"],
    [401, "invalid_token", "signedOut"],
    [401, "wrong_password", "wrongPassword"],
    [403, "not_permitted", "refused"],
    [403, "denied_by_drive", "deniedByDrive"],
    [404, "not_found", "missing"],
    [405, "method_not_allowed", "invalid"],
    [409, "exists", "collision"],
    [409, "conflict", "conflict"],
    [409, "cannot_delete", "remains"],
    [413, "too_large", "tooLarge"],
    [421, "unknown_host", "unknownHost"],
    [429, "too_many", "tooSoon"],
    [500, "internal", "fault"],
    [500, "read_only", "readOnly"],
    [503, "drive_absent", "storageAbsent"],
    [503, "drive_busy", "driveBusy"],
    [503, "too_many", "away"],
    [409, "locked", "locked"],
    [507, "disk_full", "diskFull"],
  ])("%i with the code %s means %s", (status, code, kind) => {
    expect(problemOf(status, said(code), null)).toMatchObject({ kind, code });
  });

  it.each([
    [401, "refused"],
    [403, "refused"],
    [404, "missing"],
    [409, "collision"],
    [429, "tooSoon"],
    [500, "fault"],
    [502, "away"],
    [503, "away"],
    [504, "away"],
    [507, "diskFull"],
    [418, "fault"],
  ])("%i without a word of larder's means %s", (status, kind) => {
    for (const body of ["", "<h1>Bad gateway</h1>", "null", "[]", '{"code":7}', '{"code":"toString"}']) {
      expect(problemOf(status, body, null).kind, body).toBe(kind);
    }
  });

  it("tells what could not be deleted", () => {
    const body = JSON.stringify({ error: "", code: "cannot_delete", failed: ["a/b.txt", 7] });
    expect(problemOf(409, body, null).failed).toEqual(["a/b.txt"]);
    expect(problemOf(409, said("cannot_delete"), null).failed).toEqual([]);
  });

  it("says how long to wait, within reason", () => {
    const wait = (field: string | null) => problemOf(429, "", field).retryAfterS;
    expect(wait("7")).toBe(7);
    expect(wait("0")).toBe(1);
    expect(wait(null)).toBe(1);
    expect(wait("soon")).toBe(1);
    expect(wait("-5")).toBe(1);
    expect(wait("99999999999")).toBe(3600);
    expect(problemOf(503, "", "5").retryAfterS).toBe(5);
    expect(problemOf(503, "", null).retryAfterS).toBeUndefined();
  });
});
