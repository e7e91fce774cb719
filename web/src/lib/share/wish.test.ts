import { describe, expect, it } from "vitest";
import type { Link } from "../api/links.ts";
import { bytesIn, changeOf, countIn, dayOf, endOfDay, FORM_AT_FIRST, formOf, newWish, wrongIn } from "./wish.ts";

const LINK: Link = {
  id: 7, path: "Summer", label: "Grandma", type: "folder", read: true, write: false, has_password: false,
  downloads: 0, uploaded_bytes: 0, uploaded_files: 0, guest_folders: false, by: "anna", created: "2026-11-01T10:00:00Z", state: "open",
  expires: null, downloads_max: null, upload_bytes_max: null, upload_files_max: null, last_used: null,
};

it("asks for a link of 30 days to look at", () => {
  expect(newWish(FORM_AT_FIRST)).toEqual({ read: true, write: false, expires: 30 });
});

it("asks only for limits of what guests may", () => {
  const form = { ...FORM_AT_FIRST, downloads: "5", files: "20", gigabytes: "1,5", hasGuestFolders: true, until: "never" } as const;
  expect(newWish({ ...form, rights: "read" })).toEqual({ read: true, write: false, downloads_max: 5 });
  expect(newWish({ ...form, rights: "write" })).toEqual({
    read: false, write: true, upload_files_max: 20, upload_bytes_max: 1_500_000_000, guest_folders: true,
  });
  expect(newWish({ ...form, rights: "both", label: " Anna ", password: "1234" })).toMatchObject({
    read: true, write: true, label: "Anna", password: "1234", downloads_max: 5, upload_files_max: 20,
  });
});

describe("a link that is there", () => {
  it("is not changed by a form that is as it was", () => {
    for (const link of [
      LINK,
      { ...LINK, expires: "2027-01-05T22:59:59Z", has_password: true, downloads_max: 3 },
      { ...LINK, write: true, upload_files_max: 3, upload_bytes_max: 123_456_789, guest_folders: true },
    ]) {
      expect(changeOf(link, formOf(link))).toEqual({});
    }
  });

  it("is changed in what differs", () => {
    const link = { ...LINK, has_password: true, expires: "2027-01-05T22:59:59Z", downloads_max: 3 };
    const form = formOf(link);
    expect(changeOf(link, { ...form, until: "never" })).toEqual({ expires: null });
    expect(changeOf(link, { ...form, until: "90" })).toEqual({ expires: 90 });
    expect(changeOf(link, { ...form, plan: "remove" })).toEqual({ password: "" });
    expect(changeOf(link, { ...form, plan: "change", password: "new one" })).toEqual({ password: "new one" });
    expect(changeOf(link, { ...form, downloads: "" })).toEqual({ downloads_max: null });
    expect(changeOf(link, { ...form, rights: "both", hasGuestFolders: true })).toEqual({ read: true, write: true, guest_folders: true });
    expect(changeOf(link, { ...form, label: "Grandpa " })).toEqual({ label: "Grandpa" });
  });
});

describe("what is wrong", () => {
  const NOW = new Date("2026-11-29T12:00:00").getTime();
  it.each([
    [{ until: "date", date: "" }, { date: "needed" }],
    [{ until: "date", date: "2026-11-28" }, { date: "past" }],
    [{ until: "date", date: "2026-11-29" }, {}],
    [{ password: "abc" }, { password: "short" }],
    [{ password: "abcd" }, {}],
    [{ downloads: "none" }, { downloads: "number" }],
    // Guests who may not look download nothing.
    [{ downloads: "none", rights: "write" }, {}],
    [{ files: "0", gigabytes: "-1", rights: "both" }, { files: "number", gigabytes: "number" }],
  ] as const)("with %j", (part, wrong) => {
    expect(wrongIn({ ...FORM_AT_FIRST, ...part }, NOW)).toEqual(wrong);
  });
});

it("reads numbers as people write them", () => {
  expect([countIn(""), countIn(" 12 "), countIn("0"), countIn("1.5"), countIn("1e3")]).toEqual([null, 12, undefined, undefined, undefined]);
  expect([bytesIn(""), bytesIn("2"), bytesIn("0,5"), bytesIn(".25"), bytesIn("1.2.3"), bytesIn("0")]).toEqual([
    null, 2_000_000_000, 500_000_000, 250_000_000, undefined, undefined,
  ]);
});

it("ends with the day that was chosen", () => {
  expect(dayOf(endOfDay("2027-02-28")?.getTime() ?? 0)).toBe("2027-02-28");
  expect([endOfDay("2027-02-3"), endOfDay("tomorrow"), endOfDay("2027-13-01")]).toEqual([undefined, undefined, undefined]);
});
