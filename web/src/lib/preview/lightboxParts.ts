// The lightbox with all that it needs: a part of the pages that loads when a picture is first looked at.
import { complain } from "../state/operations.svelte.ts";
import { loadPart } from "../state/part.ts";

export interface LightboxParts {
  Lightbox: typeof import("./Lightbox.svelte").default;
  grow: typeof import("./grow.ts").grow;
  sources: typeof import("./item.ts").ownSources;
}

export async function loadLightbox(): Promise<LightboxParts> {
  const [lightbox, { grow }, { ownSources }] = await Promise.all([
    import("./Lightbox.svelte"),
    import("./grow.ts"),
    import("./item.ts"),
  ]);
  return { Lightbox: lightbox.default, grow, sources: ownSources };
}

/** Loads parts of a viewer, and complains where they cannot be had; returns the way to stop. */
export function loadForViewer<Parts>(load: () => Promise<Parts>, onthere: (parts: Parts) => void): () => void {
  const leaving = new AbortController();
  void loadPart(load, () => undefined, leaving.signal).then(onthere, (cause: unknown) => {
    if (!leaving.signal.aborted) complain(cause);
  });
  return () => leaving.abort();
}

/** The picture on the stage: what grows from its tile, and shrinks to it. */
export function pictureOnStage(): HTMLElement | null {
  return document.querySelector("dialog [role=img]");
}
