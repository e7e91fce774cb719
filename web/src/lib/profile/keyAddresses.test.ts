import { describe, expect, it } from "vitest";
import { addressesOf } from "./keyAddresses.ts";

const HERE = { origin: "https://[fd00::1]:6969", hostname: "[fd00::1]" };
const addresses = (...args: Parameters<typeof addressesOf>) => addressesOf(...args).map((one) => one.address);

describe("where a key is good", () => {
  it("is told for each door, by the name under which larder was reached", () => {
    expect(addresses(["api", "dav", "ftp"], 2121, HERE)).toEqual([
      "https://[fd00::1]:6969",
      "https://[fd00::1]:6969/dav/",
      "ftp://[fd00::1]:2121/",
    ]);
  });

  it("is not told of a door that it does not open, or that is shut", () => {
    expect(addresses(["api"], 2121, HERE)).toEqual(["https://[fd00::1]:6969"]);
    expect(addresses(["ftp"], undefined, HERE)).toEqual([]);
  });
});
