import { describe, expect, it } from "vitest";
import { problemOf } from "./problem.ts";

describe("an answer's problem", () => {
  it.each([
    [400, "Invalid path", "invalid"],
    [401, "Unauthorized", "refused"],
    [401, "Token expired", "signedOut"],
    [401, "Invalid token", "signedOut"],
    [401, "Invalid username or password", "wrongPassword"],
    [404, "Path does not exist", "missing"],
    [405, "", "invalid"],
    [409, "Target already exists", "collision"],
    [413, "", "tooLarge"],
    [429, "Too many requests", "tooSoon"],
    [500, "", "fault"],
    [502, "", "away"],
    [503, "Storage is not available", "storageAbsent"],
    [503, "", "away"],
    [504, "", "away"],
    [507, "", "diskFull"],
    [418, "", "fault"],
  ])("%i %s means %s", (status, message, kind) => {
    expect(problemOf(status, message, null).kind).toBe(kind);
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
