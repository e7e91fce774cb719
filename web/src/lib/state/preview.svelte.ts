// The file on show in the preview: its facts and, of a text, its content; or why there is none.
import { readFacts, readText, type Facts } from "../api/files.ts";
import { Problem, type ProblemKind } from "../api/problem.ts";
import { kindOf, type Kind } from "./kind.ts";
import { nameOf } from "./paths.ts";
import { keepTrying } from "./retry.ts";
import { leftBecause, session } from "./session.svelte.ts";

/** What takes less than this gets no sign of waiting (ms). */
const SLOW_AFTER_MS = 200;
/** Bytes of text that are shown: more than anybody reads in a preview, and drawn at once. */
const TEXT_BYTES_MAX = 2_000_000;

/** What is shown of the file, and where nothing is, why. */
export type Show = Extract<Kind, "image" | "video" | "audio" | "pdf" | "text"> | "none" | "tooLong";

class Preview {
  path = $state("");
  facts = $state.raw<Facts>();
  show = $state<Show>("none");
  text = $state.raw("");
  problem = $state<ProblemKind>();
  /** Nothing has been answered yet. */
  isFirst = $state(true);
  isSlow = $state(false);
  #running = new AbortController();

  /** Shows a file. Resolves when it, or what is wrong with it, is on show. */
  async open(path: string): Promise<void> {
    if (path !== this.path) {
      this.isFirst = true;
      this.problem = undefined;
      this.facts = undefined;
    }
    this.path = path;
    this.#running.abort();
    const running = (this.#running = new AbortController());
    const timer = setTimeout(() => (this.isSlow = true), SLOW_AFTER_MS);
    const fail = (kind: ProblemKind) => {
      clearTimeout(timer);
      this.isSlow = false;
      this.isFirst = false;
      this.problem = kind;
    };
    try {
      const found = await keepTrying(
        () => look(path, running.signal),
        (problem) => fail(problem.kind),
        running.signal,
      );
      Object.assign(this, found);
      this.problem = undefined;
      this.isFirst = false;
    } catch (cause) {
      if (running.signal.aborted || leftBecause(cause)) return;
      fail(cause instanceof Problem ? cause.kind : "fault");
    } finally {
      clearTimeout(timer);
      this.isSlow = false;
    }
  }
}

export const preview = new Preview();

/** Asks for all that the preview of a file needs. */
async function look(path: string, signal: AbortSignal) {
  const [facts] = await Promise.all([readFacts(path, signal), session.load(signal)]);
  const show = showOf(kindOf(facts.mime, nameOf(path)), facts.size, session.may("/api/get_file"));
  if (show !== "text") return { facts, show, text: "" };
  const text = await readText(path, signal);
  return text === undefined
    ? { facts, show: "none" as const, text: "" }
    : { facts, show, text };
}

/** What to show of a file of this kind and size (bytes). */
export function showOf(kind: Kind, size: number | undefined, mayRead: boolean): Show {
  if (kind === "image" || kind === "video" || kind === "audio" || kind === "pdf") return kind;
  if (kind !== "text") return "none";
  if (!mayRead) return "none";
  return size === undefined || size > TEXT_BYTES_MAX ? "tooLong" : "text";
}
