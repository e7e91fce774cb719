import { expect, it, vi } from "vitest";
import { Choice } from "./choice.ts";

it("holds what is chosen until it ends, and tells of each change", () => {
  const choice = new Choice();
  const heard = vi.fn();
  const stop = choice.onChange(heard);
  choice.begin();
  choice.toggle("a");
  choice.toggle("b");
  choice.toggle("a");
  expect([...choice.paths]).toEqual(["b"]);
  expect(heard).toHaveBeenCalledTimes(4);
  choice.end();
  expect([choice.isOn, choice.paths.size]).toEqual([false, 0]);
  stop();
  choice.begin();
  expect(heard).toHaveBeenCalledTimes(5);
});
