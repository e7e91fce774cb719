// Names by which links inside a text find its headings, as forges that show Markdown make them.

/** Gives each heading of one text a name; the second of the same words gets `-1`, the third `-2`. */
export function headingNames(): (words: string) => string {
  const met = new Map<string, number>();
  return (words) => {
    const kept = words.trim().toLowerCase().replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, "");
    const name = kept.replaceAll(" ", "-");
    const times = met.get(name) ?? 0;
    met.set(name, times + 1);
    return times === 0 ? name : `${name}-${times}`;
  };
}
