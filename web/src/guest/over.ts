// What a refusal means: one thing alone that is not there or used up, or a link that is over.
import { Problem } from "../lib/api/problem.ts";
import { askInfo, expectDownload } from "./link.ts";
import { describe } from "./words.ts";

/** What the page does once its link is over. */
export const over = { tell: (): void => undefined };

const isEnd = (cause: unknown) => cause instanceof Problem && ["gone", "missing"].includes(cause.kind);

/** Whether it is the link itself that ended while the page was open: then the page says so. */
export async function isOver(cause: unknown): Promise<boolean> {
  if (!isEnd(cause)) return false;
  const why: unknown = await askInfo().then(
    () => undefined,
    (problem: unknown) => problem,
  );
  if (!isEnd(why)) return false;
  over.tell();
  return true;
}

/** Why an element shows nothing of an address, where larder is not the cause `otherwise`; `undefined`: the link is over. */
export async function whyNot(address: string, otherwise: string): Promise<string | undefined> {
  try {
    await expectDownload(address);
    return otherwise;
  } catch (cause) {
    return (await isOver(cause)) ? undefined : describe(cause);
  }
}
