// What to do where a name is taken: asked one question after the other, and once "for all".

/** What the reader wants done with a taken name. */
export type Choice = "overwrite" | "rename" | "skip";

/** Things brought together: one answer may hold for all of them. */
export interface Batch {
  /** Those whose names may yet turn out to be taken: files, or paths of entries. */
  open: Set<File | string>;
  forAll?: Choice;
}

/** One of the two that want the same name, as far as it is known. */
export interface Side {
  /** In bytes; none of a folder. */
  size?: number | undefined;
  /** When it was changed, in words `Date` reads. */
  modified: string;
  /** What a picture of it is made of: a file of this device, or one that larder has. */
  file?: File;
  path?: string;
  mime?: string | undefined;
  etag?: string | undefined;
}

/** A taken name: what comes, and what is there. */
export interface Clash {
  name: string;
  brought?: Side | undefined;
  there?: Side | undefined;
}

/** A name that is taken, and the way to say what to do. */
export interface Collision extends Clash {
  /** More questions may follow, so "for all" makes sense. */
  isOneOfMany: boolean;
  answer: (choice: Choice, isForAll: boolean) => void;
}

export class Collisions {
  now = $state.raw<Collision>();
  #asking = Promise.resolve();

  /** What to do with one of a batch that is still open, whose name is taken. */
  choose(one: File | string, batch: Batch, clash: Clash): Promise<Choice> {
    const chosen = this.#asking.then(async () => {
      // It was called off while another question was open.
      if (!batch.open.delete(one)) return "skip";
      if (batch.forAll) return batch.forAll;
      const { choice, isForAll } = await this.#ask(clash, batch.open.size > 0);
      if (isForAll) batch.forAll = choice;
      return choice;
    });
    this.#asking = chosen.then(() => undefined);
    return chosen;
  }

  #ask(clash: Clash, isOneOfMany: boolean): Promise<{ choice: Choice; isForAll: boolean }> {
    return new Promise((resolve) => {
      const answer = (choice: Choice, isForAll: boolean) => {
        this.now = undefined;
        resolve({ choice, isForAll });
      };
      this.now = { ...clash, isOneOfMany, answer };
    });
  }
}

export const collisions = new Collisions();
