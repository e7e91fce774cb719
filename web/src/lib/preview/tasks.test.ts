import { describe, expect, it } from "vitest";
import { tasksOf, toggleTask } from "./tasks.ts";

const TEXT = `# List

- [x] milk
- [ ] bread
  - [ ] rye

\`\`\`
- [ ] in code
\`\`\`

1. [ ] numbered

> - [X] quoted

- [ ] loose

  with more

-  [] none
`;

describe("tasks", () => {
  it("are those that are drawn as boxes", () => {
    expect(tasksOf(TEXT)).toEqual([true, false, false, false, true, false]);
    expect(tasksOf("no list at all")).toEqual([]);
  });

  it.each([
    [0, "- [x] milk", "- [ ] milk"],
    [2, "  - [ ] rye", "  - [x] rye"],
    [3, "1. [ ] numbered", "1. [x] numbered"],
    [4, "> - [X] quoted", "> - [ ] quoted"],
    [5, "- [ ] loose", "- [x] loose"],
  ])("the %i-th changes in its own place alone", (at, from, to) => {
    expect(toggleTask(TEXT, at)).toBe(TEXT.replace(from, to));
  });

  it("keep line ends as they are", () => {
    expect(toggleTask("- [ ] a\r\n- [ ] b\r\n", 1)).toBe("- [ ] a\r\n- [x] b\r\n");
  });

  it("leave alone what cannot be told apart, and what is not there", () => {
    expect(toggleTask(TEXT, 6)).toBeUndefined();
    expect(toggleTask(TEXT, -1)).toBeUndefined();
    expect(toggleTask("", 0)).toBeUndefined();
  });
});
