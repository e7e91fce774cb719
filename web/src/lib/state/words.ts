// A problem in the reader's words.
import { Problem, type ProblemKind } from "../api/problem.ts";
import { t, type TextKey } from "./texts.svelte.ts";

const WORDS: Record<ProblemKind, TextKey> = {
  signedOut: "problem.signedOut",
  wrongPassword: "problem.wrongPassword",
  refused: "problem.refused",
  invalid: "problem.invalid",
  missing: "problem.missing",
  collision: "problem.collision",
  tooLarge: "problem.tooLarge",
  tooSoon: "problem.tooSoon",
  diskFull: "problem.diskFull",
  storageAbsent: "problem.storageAbsent",
  away: "problem.away",
  fault: "problem.fault",
};

export function describe(cause: unknown): string {
  return describeKind(cause instanceof Problem ? cause.kind : "fault");
}

export function describeKind(kind: ProblemKind): string {
  return t(WORDS[kind]);
}
