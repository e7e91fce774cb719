// Where one stood in each place of this tab's history, so as to come back to it: by Back, by Forward,
// after a reload and from another page. Knows no history and no page.

/** What is kept with a place in the history, to come back to it as it was. */
export interface Place {
  scrollY?: number;
  cursor?: string;
}

/** Where the tab keeps them. */
const KEPT_AS = "larder.places";
/** More steps back than these start at the top (each some 60 bytes). */
const PLACES_MAX = 200;

/** The part of `sessionStorage` that is used. */
type Storage = Pick<globalThis.Storage, "getItem" | "setItem">;

export class Places {
  /** The one that was left last comes last. */
  #byId = new Map<string, Place>();

  /** `storage` answers for a tab; it throws where a browser keeps nothing. */
  constructor(readonly storage: () => Storage = () => sessionStorage) {
    for (const [id, place] of this.#read()) this.#byId.set(id, place);
  }

  /** How one stood there; nothing where one never was. */
  of(id: string): Place {
    return this.#byId.get(id) ?? {};
  }

  keep(id: string, place: Place): void {
    this.#byId.delete(id);
    this.#byId.set(id, place);
    for (const oldest of this.#byId.keys()) {
      if (this.#byId.size <= PLACES_MAX) break;
      this.#byId.delete(oldest);
    }
    try {
      this.storage().setItem(KEPT_AS, JSON.stringify([...this.#byId]));
    } catch {
      // Then they last as long as this page.
    }
  }

  #read(): [string, Place][] {
    try {
      const kept: unknown = JSON.parse(this.storage().getItem(KEPT_AS) ?? "[]");
      return Array.isArray(kept) ? kept.flatMap(readPlace) : [];
    } catch {
      return [];
    }
  }
}

/** One that was kept, or none: another larder may have kept something else under this name. */
function readPlace(kept: unknown): [string, Place][] {
  if (!Array.isArray(kept) || typeof kept[0] !== "string") return [];
  const { scrollY, cursor } = (kept[1] ?? {}) as Record<string, unknown>;
  return [[kept[0], {
    ...(typeof scrollY === "number" && { scrollY }),
    ...(typeof cursor === "string" && { cursor }),
  }]];
}
