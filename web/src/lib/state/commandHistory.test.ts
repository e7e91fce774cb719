import { expect, it } from "vitest";
import { CommandHistory } from "./commandHistory.ts";

it("walks through what was typed before, and back to what is being typed", () => {
  const history = new CommandHistory();
  for (const command of ["ls", "df", "df"]) history.add(command);
  expect(history.step(-1, "du")).toBe("df");
  expect(history.step(-1, "df")).toBe("ls");
  expect(history.step(-1, "ls")).toBe("ls");
  expect(history.step(1, "ls")).toBe("df");
  expect(history.step(1, "df")).toBe("du");
  expect(history.step(1, "du")).toBe("du");
});
