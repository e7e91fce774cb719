import { beforeEach, expect, it, vi } from "vitest";
import { rename } from "../api/files.ts";
import { filmName, renamePhoto } from "./renaming.ts";

vi.mock("../api/files.ts", () => ({ rename: vi.fn() }));

beforeEach(() => void vi.mocked(rename).mockReset().mockResolvedValue());

const renamed = () => vi.mocked(rename).mock.calls.map(([folder, entry, to]) => `${folder}: ${entry.name} > ${to}`);

it("keeps what stands behind the last point of a film", () => {
  expect(filmName("Trip/IMG_1.MOV", "beach.day.heic")).toBe("beach.day.MOV");
});

it("takes the film of a Live Photo along", async () => {
  await renamePhoto({ path: "Trip/IMG_1.HEIC", pair: "Trip/IMG_1.MOV" }, "beach.HEIC");
  expect(renamed()).toEqual(["Trip: IMG_1.HEIC > beach.HEIC", "Trip: IMG_1.MOV > beach.MOV"]);
});

it("gives the old name back where the film cannot follow", async () => {
  vi.mocked(rename).mockResolvedValueOnce().mockRejectedValueOnce(new Error("taken"));
  await expect(renamePhoto({ path: "a.jpg", pair: "a.mov" }, "b.jpg")).rejects.toThrow("taken");
  expect(renamed()).toEqual([": a.jpg > b.jpg", ": a.mov > b.mov", ": b.jpg > a.jpg"]);
});
