// The boxes of a list of tasks in Markdown: what they say, and the text with one of them changed. Only
// strings; what is a task, `marked` says, as it does when the page is drawn.
import { marked } from "marked";

/** A box as it is written: after the mark of a list's item, which may stand in lists and quotes. */
const WRITTEN = /^([ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)+\[)([ xX])(?=\][ \t])/gm;
/** So many places that only look like it (in a block of code) may stand before one that is meant. */
const TRIES_MAX = 200;

/** Of each task in a text whether it is done, in the order they are read. */
export function tasksOf(source: string): boolean[] {
  const tasks: boolean[] = [];
  void marked.walkTokens(marked.lexer(source, { gfm: true }), (token) => {
    if (token.type === "list_item" && token["task"] === true) tasks.push(token["checked"] === true);
  });
  return tasks;
}

/** The text with the `at`-th task done, or open again; `undefined` where its place cannot be told. */
export function toggleTask(source: string, at: number): string | undefined {
  const before = tasksOf(source);
  if (at < 0 || at >= before.length) return undefined;
  const wanted = JSON.stringify(before.map((isDone, number) => (number === at ? !isDone : isDone)));
  // What looks like a task and is none can only put the one that is meant further back.
  for (const place of [...source.matchAll(WRITTEN)].slice(at, at + TRIES_MAX)) {
    const box = place.index + (place[1]?.length ?? 0);
    const changed = source.slice(0, box) + (place[2] === " " ? "x" : " ") + source.slice(box + 1);
    if (JSON.stringify(tasksOf(changed)) === wanted) return changed;
  }
  return undefined;
}
