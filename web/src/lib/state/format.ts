// Sizes and dates in the reader's words. Knows no page.

const SIZE_UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
const SIZE_STEP = 1000;

/** Formatters by locale and style: making one takes far longer than using it, and lists use many. */
const formatters = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat>();

function numbers(locale: string, style: Intl.NumberFormatOptions): Intl.NumberFormat {
  return kept(locale, style, () => new Intl.NumberFormat(locale, style));
}

function dates(locale: string, style: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  return kept(locale, style, () => new Intl.DateTimeFormat(locale, style));
}

function kept<Format extends Intl.NumberFormat | Intl.DateTimeFormat>(
  locale: string,
  style: object,
  make: () => Format,
): Format {
  const key = `${locale} ${JSON.stringify(style)}`;
  const known = formatters.get(key) as Format | undefined;
  if (known) return known;
  const made = make();
  formatters.set(key, made);
  return made;
}

/** Bytes as `Intl` writes them, in steps of 1000: three digits at most say enough. */
export function formatSize(bytes: number, locale: string): string {
  let value = bytes;
  let unit = 0;
  while (unit < SIZE_UNITS.length - 1 && Math.round(value) >= SIZE_STEP) {
    value /= SIZE_STEP;
    unit += 1;
  }
  return numbers(locale, {
    style: "unit",
    unit: SIZE_UNITS[unit] ?? "byte",
    unitDisplay: unit === 0 ? "long" : "short",
    maximumFractionDigits: unit > 0 && value < 100 ? 1 : 0,
  }).format(value);
}

/** A point in time (RFC 3339), in the reader's time zone; "" when it is none. */
export function formatDate(when: string, locale: string): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "";
  return dates(locale, { dateStyle: "medium", timeStyle: "short" }).format(date);
}

/**
 * A time of the log (`YYYY-MM-DD HH:MM:SS`, the server's local time), to the second and never
 * moved to the reader's time zone; as it is when it is none.
 */
export function formatLogTime(when: string, locale: string): string {
  // Taken for UTC and told as UTC, it stays the same wherever the reader is.
  const date = new Date(`${when.replace(" ", "T")}Z`);
  if (Number.isNaN(date.getTime())) return when;
  return dates(locale, { dateStyle: "medium", timeStyle: "medium", timeZone: "UTC" }).format(date);
}

/** The day of a point in time (RFC 3339), where there is no room for more; "" when it is none. */
export function formatDay(when: string, locale: string): string {
  const date = new Date(when);
  if (Number.isNaN(date.getTime())) return "";
  return dates(locale, { dateStyle: "medium" }).format(date);
}

const DURATION_UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3600 },
  { unit: "minute", seconds: 60 },
  { unit: "second", seconds: 1 },
] as const;

/** A stretch of time (s) in its largest unit, and the next one where that says more. */
export function formatDuration(seconds: number, locale: string): string {
  let rest = Math.max(0, Math.round(seconds));
  const at = Math.max(0, DURATION_UNITS.findIndex((one) => rest >= one.seconds));
  const units = rest === 0 ? DURATION_UNITS.slice(-1) : DURATION_UNITS.slice(at, at + 2);
  const parts = units.map(({ unit, seconds: length }) => {
    const count = Math.floor(rest / length);
    rest -= count * length;
    const style = { style: "unit", unit, unitDisplay: "long" } as const;
    return { count, text: numbers(locale, style).format(count) };
  });
  return parts
    .filter((part, step) => step === 0 || part.count > 0)
    .map((part) => part.text)
    .join(" ");
}

/** A place in a film or piece (s), as players write it: `1:02:03`, `2:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** When a picture was taken by its camera's clock (`YYYY-MM-DDTHH:MM:SS`), never moved to the reader's time zone. */
export function formatPhotoTime(taken: string, locale: string): string {
  return formatZoneless(taken, locale, { dateStyle: "full", timeStyle: "short" });
}

/** The day a picture was taken. */
export function formatPhotoDay(taken: string, locale: string): string {
  return formatZoneless(taken, locale, { dateStyle: "medium" });
}

function formatZoneless(taken: string, locale: string, style: Intl.DateTimeFormatOptions): string {
  // Taken for UTC and told as UTC, it stays the same wherever the reader is.
  const date = new Date(`${taken.slice(0, 19)}Z`);
  return Number.isNaN(date.getTime()) ? "" : dates(locale, { ...style, timeZone: "UTC" }).format(date);
}

/** A month told as `2026-08`, with its year. */
export function formatMonth(month: string, locale: string): string {
  // The middle of it is in the same month wherever the reader is.
  const date = new Date(`${month}-15T12:00:00Z`);
  if (Number.isNaN(date.getTime())) return month;
  return dates(locale, { month: "long", year: "numeric", timeZone: "UTC" }).format(date);
}
