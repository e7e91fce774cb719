// Links in the order and choice that somebody looks for. Knows no page.
import type { Link } from "../api/links.ts";
import { isOpen } from "./links.svelte.ts";

export const ORDERS = ["newest", "used", "until", "name"] as const;
export type Order = (typeof ORDERS)[number];

/** Links whose words have all those of a filter, in any order; `wordsOf` is what is shown of one. */
export function matching(links: readonly Link[], filter: string, wordsOf: (link: Link) => string): readonly Link[] {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter((word) => word !== "");
  if (words.length === 0) return links;
  return links.filter((link) => {
    const text = wordsOf(link).toLocaleLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/** Links in an order; those that lead nowhere any more come last in each. */
export function inOrder(links: readonly Link[], order: Order, nameOf: (link: Link) => string, locale: string): Link[] {
  const collator = new Intl.Collator(locale, { numeric: true });
  const time = (when: string | null | undefined, none: number) => (when ? Date.parse(when) : none);
  const compare: Record<Order, (a: Link, b: Link) => number> = {
    newest: (a, b) => time(b.created, 0) - time(a.created, 0),
    used: (a, b) => time(b.last_used, 0) - time(a.last_used, 0),
    until: (a, b) => compareTimes(time(a.expires, Infinity), time(b.expires, Infinity)),
    name: (a, b) => collator.compare(nameOf(a), nameOf(b)),
  };
  return [...links].sort((a, b) => Number(isOpen(b)) - Number(isOpen(a)) || compare[order](a, b));
}

/** Twice never is the same, and not no number. */
function compareTimes(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
