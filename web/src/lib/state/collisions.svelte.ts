// What to do where a name is taken: asked one question after the other, and once "for all".

/** What the reader wants done with a taken name. */
export type Choice = "overwrite" | "rename" | "skip";

/** Things brought together: one answer may hold for all of them. */
export interface Batch {
  isMany: boolean;
  forAll?: Choice;
}

/** A name that is taken, and the way to say what to do. */
export interface Collision {
  name: string;
  /** More questions may follow, so "for all" makes sense. */
  isOneOfMany: boolean;
  answer: (choice: Choice, isForAll: boolean) => void;
}

export class Collisions {
  now = $state.raw<Collision>();
  #asking = Promise.resolve();

  /** What to do with a taken name. */
  choose(name: string, batch: Batch): Promise<Choice> {
    const chosen = this.#asking.then(async () => {
      if (batch.forAll) return batch.forAll;
      const { choice, isForAll } = await this.#ask(name, batch.isMany);
      if (isForAll) batch.forAll = choice;
      return choice;
    });
    this.#asking = chosen.then(() => undefined);
    return chosen;
  }

  #ask(name: string, isOneOfMany: boolean): Promise<{ choice: Choice; isForAll: boolean }> {
    return new Promise((resolve) => {
      const answer = (choice: Choice, isForAll: boolean) => {
        this.now = undefined;
        resolve({ choice, isForAll });
      };
      this.now = { name, isOneOfMany, answer };
    });
  }
}

export const collisions = new Collisions();
