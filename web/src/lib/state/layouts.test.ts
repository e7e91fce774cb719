import { expect, it } from "vitest";
import type { Entry } from "../api/types.ts";
import { isOfPictures, Layouts } from "./layouts.ts";

const entry = (name: string, mime: string, type: Entry["type"] = "file") => ({ name, mime, type }) as Entry;
const pictures = Array.from({ length: 6 }, (_, at) => entry(`${at}.jpg`, "image/jpeg"));
const texts = Array.from({ length: 4 }, (_, at) => entry(`${at}.txt`, "text/plain"));

it("knows folders that are mostly pictures", () => {
  expect(isOfPictures(pictures)).toBe(true);
  expect(isOfPictures([...pictures, ...texts])).toBe(true);
  expect(isOfPictures([...pictures, ...texts, entry("x", "inode/directory", "folder")])).toBe(false);
  expect(isOfPictures(pictures.slice(0, 3))).toBe(false);
});

it("lays out as chosen, else by what is there, else as further up", () => {
  const layouts = new Layouts();
  expect(layouts.of("a", texts)).toBe("list");
  expect(layouts.of("a", pictures)).toBe("grid");
  layouts.keep("a", "list");
  expect(layouts.of("a", pictures)).toBe("list");
  layouts.keep("", "grid");
  expect(layouts.of("b/c", texts)).toBe("grid");
  expect(layouts.of("a/c", texts)).toBe("list");
});
