// What browsers of old phones (Safari 12, Chrome 66) lack of what is used here and in the pieces that the other pages
// share. Loaded before everything else; only what is missing is put there, and only as far as it is used.

/** Puts a method there where it is missing. */
function add(home: object, name: string, method: (this: never, ...args: never[]) => unknown): void {
  if (!(name in home)) Object.defineProperty(home, name, { value: method, configurable: true, writable: true });
}

add(window, "globalThis", window as never);
add(window, "queueMicrotask", (action: () => void) => void Promise.resolve().then(action));
add(Array.prototype, "at", function (this: unknown[], index: number) {
  return this[index < 0 ? this.length + index : index];
});
add(Array.prototype, "flat", function (this: unknown[]) {
  return ([] as unknown[]).concat(...this);
});
add(Array.prototype, "flatMap", function (this: unknown[], each: (one: unknown) => unknown) {
  return ([] as unknown[]).concat(...this.map((one) => each(one)));
});
add(String.prototype, "replaceAll", function (this: string, what: string, by: string) {
  return this.split(what).join(by);
});
add(Object, "fromEntries", (pairs: readonly (readonly [string, unknown])[]) => {
  const made: Record<string, unknown> = {};
  for (const [name, value] of pairs) made[name] = value;
  return made;
});
add(Object, "hasOwn", (home: object, name: string) => Object.prototype.hasOwnProperty.call(home, name));
add(AbortSignal.prototype, "throwIfAborted", function (this: AbortSignal) {
  if (this.aborted) throw new DOMException("Cancelled", "AbortError");
});
add(Blob.prototype, "arrayBuffer", function (this: Blob) {
  return new Response(this).arrayBuffer();
});

/** Where nobody can tell what is in sight, everything is. */
class SeesAll {
  constructor(readonly tell: (changes: { target: Element; isIntersecting: boolean }[]) => void) {}
  observe(target: Element): void {
    setTimeout(() => this.tell([{ target, isIntersecting: true }]), 0);
  }
  unobserve(): void {
    // Nothing is watched.
  }
}
add(window, "IntersectionObserver", SeesAll as never);

/** English and German tell one from many, and nothing else. */
class OneOrMany {
  select(count: number): string {
    return count === 1 ? "one" : "other";
  }
}
add(Intl, "PluralRules", OneOrMany as never);

/** Signs for units, for browsers that know no words for them. */
const SIGNS: Record<string, string> = {
  byte: "B", kilobyte: "kB", megabyte: "MB", gigabyte: "GB", terabyte: "TB", petabyte: "PB",
  day: "d", hour: "h", minute: "min", second: "s",
};

function knowsUnits(): boolean {
  try {
    return new Intl.NumberFormat("en", { style: "unit", unit: "byte" }).format(1) !== "1";
  } catch {
    return false;
  }
}

if (!knowsUnits()) {
  const Plain = Intl.NumberFormat;
  const make = (locale?: string, style: Intl.NumberFormatOptions = {}) => {
    if (style.style !== "unit") return new Plain(locale, style);
    const plain = new Plain(locale, { maximumFractionDigits: style.maximumFractionDigits });
    return { format: (value: number) => `${plain.format(value)} ${SIGNS[style.unit ?? ""] ?? ""}` };
  };
  // Called with `new`, and what it returns is what one gets.
  Intl.NumberFormat = function (locale?: string, style?: Intl.NumberFormatOptions) {
    return make(locale, style);
  } as never;
}
