import { expect, it } from "vitest";
import { fileOfWords } from "./going.ts";

const AT = Date.UTC(2026, 10, 29, 12);

it("makes a file of words, each thing once", async () => {
  const url = "https://example.org/soup";
  const file = fileOfWords({ title: "Soup", text: `boil it ${url}`, url }, AT);
  expect([file.name, file.lastModified, await file.text()]).toEqual(["Soup.txt", AT, `Soup\n\nboil it ${url}\n`]);
  expect(await fileOfWords({ text: url, url }, AT).text()).toBe(`${url}\n`);
});

it("gives it a name that can be one", () => {
  expect(fileOfWords({ title: "../a: b\0c / d" }, AT).name).toBe("a b c d.txt");
  expect(fileOfWords({ title: "ä".repeat(200) }, AT).name).toBe(`${"ä".repeat(60)}.txt`);
  for (const title of [undefined, "", "...", "///"]) {
    const { name } = fileOfWords({ ...(title !== undefined && { title }), text: "x" }, AT);
    expect(name).toMatch(/^Shared [\w .,]+\.txt$/);
  }
});
