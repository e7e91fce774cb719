// Something a view shows that the server knows: asked for until there is an answer.
import { Problem, type ProblemKind } from "../api/problem.ts";
import { keepTrying } from "./retry.ts";
import { leftBecause } from "./session.svelte.ts";

export class Load<T> {
  value = $state.raw<T>();
  /** Why there is none; `undefined` while asking, or when there is. */
  problem = $state<ProblemKind>();
  #running = new AbortController();

  constructor(readonly ask: (signal: AbortSignal) => Promise<T>) {}

  /** Asks, or asks again. What was there stays until there is an answer. */
  async load(): Promise<void> {
    this.#running.abort();
    const running = (this.#running = new AbortController());
    const onPassing = (problem: Problem) => {
      if (this.value === undefined) this.problem = problem.kind;
    };
    try {
      this.value = await keepTrying(() => this.ask(running.signal), onPassing, running.signal);
      this.problem = undefined;
    } catch (cause) {
      if (running.signal.aborted || leftBecause(cause)) return;
      this.problem = cause instanceof Problem ? cause.kind : "fault";
    }
  }

  stop(): void {
    this.#running.abort();
  }
}
