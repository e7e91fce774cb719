import { expect, it } from "vitest";
import { headingNames } from "./headings.ts";

it("names headings by their words, and each only once", () => {
  const name = headingNames();
  expect(name("Pancakes & Soup!")).toBe("pancakes--soup");
  expect(name(" Über uns ")).toBe("über-uns");
  expect(name("Soup")).toBe("soup");
  expect(name("Soup")).toBe("soup-1");
  expect(name("soup")).toBe("soup-2");
  expect(name("snake_case-and dash")).toBe("snake_case-and-dash");
  expect(headingNames()("Soup")).toBe("soup");
});
