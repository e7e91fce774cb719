// Photos: all pictures and films by the day they were taken.
import type { Answer } from "./call.ts";
import { get, post, postBytes } from "./http.ts";

type Photos = Answer<"/api/photos">;
type Items = Extract<Photos, { items: unknown }>;

/** One month and how many photos it has. */
export type Month = Extract<Photos, { months: unknown }>["months"][number];

/** One picture or film. `taken` is a time on the camera's clock, without a zone. */
export type Photo = Items["items"][number];

export async function listMonths(signal?: AbortSignal): Promise<Extract<Photos, { months: unknown }>> {
  const answer = await get("/api/photos", {}, signal);
  return "months" in answer ? answer : { months: [], complete: true, scanned: 0 };
}

/** Photos of a month, newest first; `next` is the `after` of those that follow. */
export async function listPhotos(
  query: { month: string; limit: number; after?: string },
  signal?: AbortSignal,
): Promise<Items> {
  const answer = await get("/api/photos", query, signal);
  return "items" in answer ? answer : { items: [] };
}

/** Has folders looked through; answers with the name of the work. */
export async function scanPhotos(): Promise<string> {
  return (await post("/api/photos/scan", {})).job;
}

/** Gives larder a picture of a file that it cannot make itself, as long as the file is the one that was drawn. */
export async function keepThumb(path: string, etag: string, picture: Blob, signal?: AbortSignal): Promise<void> {
  await postBytes("/api/thumb", { path }, picture, { "If-Match": `"${etag}"` }, signal);
}
