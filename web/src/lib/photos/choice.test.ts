import { expect, it } from "vitest";
import { Choice } from "./choice.svelte.ts";
import type { Photo } from "./source.ts";

/** A wall of so many photos, all but some of which are there at first. */
function wall(count: number, absent: number[] = []) {
  const gone = new Set(absent);
  const photoAt = (index: number) =>
    index < 0 || index >= count || gone.has(index) ? undefined : ({ path: `${index}.jpg` } as Photo);
  const reach = (from: number, to: number) => {
    for (let at = from; at <= to; at += 1) gone.delete(at);
    return Promise.resolve();
  };
  return new Choice({ photoAt, reach });
}

const paths = (choice: Choice) => [...choice.photos.keys()];

it("selects one more or one less", () => {
  const choice = wall(5);
  choice.toggle(3);
  choice.toggle(1);
  expect(paths(choice)).toEqual(["3.jpg", "1.jpg"]);
  choice.toggle(3);
  expect(paths(choice)).toEqual(["1.jpg"]);
});

it("stretches over what has to be fetched first, and shrinks again", async () => {
  const choice = wall(9, [4, 5]);
  choice.toggle(8);
  choice.toggle(2);
  await choice.stretchTo(6);
  expect(paths(choice)).toEqual(["8.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg"]);
  await choice.stretchTo(1);
  expect(paths(choice)).toEqual(["8.jpg", "2.jpg", "1.jpg"]);
});

it("takes the last of two stretches, whichever is ready first", async () => {
  const choice = wall(9);
  choice.begin(0);
  const slow = choice.stretchTo(8);
  const last = choice.stretchTo(1);
  await Promise.all([slow, last]);
  expect(paths(choice)).toEqual(["0.jpg", "1.jpg"]);
});

it("selects a whole month, and none of it the second time", async () => {
  const choice = wall(9);
  await choice.toggleAll(2, 4);
  expect(paths(choice)).toEqual(["2.jpg", "3.jpg", "4.jpg"]);
  await choice.toggleAll(2, 4);
  expect(paths(choice)).toEqual([]);
});
