import { expect, it } from "vitest";
import { FTP_RIGHTS, rightsKey } from "./ftpRights.ts";

it("knows every letter, in the contract's order", () => {
  expect(FTP_RIGHTS.map((one) => one.letters).join("")).toBe("elradfmwMT");
});

it("has a word for what is common", () => {
  expect(rightsKey("elradfmwMT")).toBe("ftp.all");
  expect(rightsKey("elr")).toBe("ftp.readOnly");
  expect(rightsKey("elrw")).toBe("ftp.some");
  expect(rightsKey("")).toBe("ftp.some");
});
