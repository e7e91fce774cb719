import { expect, it } from "vitest";
import { folderNameFor, initialOf, usernameFor } from "./person.ts";

it("makes a name to sign in with", () => {
  expect(usernameFor(" Anna ")).toBe("anna");
  expect(usernameFor("Anna Lena  Müller")).toBe("anna.lena.müller");
  expect(usernameFor("Mu\u0308ller")).toBe("müller");
  expect(usernameFor("  ")).toBe("");
});

it("makes a name for a folder", () => {
  expect(folderNameFor(" Anna B. ")).toBe("Anna B.");
  expect(folderNameFor("A/C")).toBe("A-C");
  expect(folderNameFor("..hidden")).toBe("hidden");
  for (const none of ["", " ", "..", "."]) expect(folderNameFor(none)).toBe("");
});

it.each([["anna", "A"], [" ömer", "Ö"], ["🦊 Fox", "🦊"], ["", ""]])("shows %j by %j", (name, initial) => {
  expect(initialOf(name)).toBe(initial);
});
