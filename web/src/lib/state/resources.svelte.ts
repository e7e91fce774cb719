// How busy the box is, over the last ten minutes: as larder remembers them, then as this page watches.
import { readHistory, readResources } from "../api/system.ts";
import type { Resources } from "../api/types.ts";
import { events } from "./events.svelte.ts";
import { leftBecause } from "./session.svelte.ts";
import type { TextKey } from "./texts.svelte.ts";

/** What is kept (ms), and how often to ask where nobody tells (ms). */
const WINDOW_MS = 10 * 60_000;
const ASK_EVERY_MS = 2000;

export interface Sample {
  atMs: number;
  values: Resources;
}

class ResourceHistory {
  samples = $state.raw<readonly Sample[]>([]);
  latest = $derived(this.samples.at(-1)?.values);
  #watchers = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #heardAtMs = -Infinity;
  #isRemembered = false;

  /** Keeps what is told anyway from now on, so that a chart that opens later shows how it was. */
  start(): void {
    events.on((name, data) => {
      if (name !== "resources" || typeof data["cpu"] !== "number") return;
      this.#heardAtMs = Date.now();
      this.#add(data as Resources);
    });
  }

  /** Asks where nobody tells, until the answer is called. */
  watch(): () => void {
    this.#watchers += 1;
    if (this.#watchers === 1) {
      void this.#remember();
      this.#timer = setInterval(() => void this.#ask(), ASK_EVERY_MS);
    }
    return () => {
      this.#watchers -= 1;
      if (this.#watchers === 0) clearInterval(this.#timer);
    };
  }

  /** Puts before what was watched here what larder knows of the time before; once is enough for a page. */
  async #remember(): Promise<void> {
    if (this.#isRemembered) return this.#ask();
    try {
      const { history, ...now } = await readHistory();
      this.#isRemembered = true;
      this.samples = mergeSamples(historyIn(history), this.samples);
      this.#add(now as Resources);
    } catch (cause) {
      // Then a line begins now.
      leftBecause(cause);
    }
  }

  async #ask(): Promise<void> {
    if (document.hidden || Date.now() - this.#heardAtMs < 2 * ASK_EVERY_MS) return;
    try {
      this.#add(await readResources());
    } catch (cause) {
      // A gap in a line is all there is to say; a banner says if the server is away.
      leftBecause(cause);
    }
  }

  #add(values: Resources): void {
    const atMs = Date.now();
    this.samples = addSample(this.samples, { atMs, values });
  }
}

export const resources = new ResourceHistory();

/** One more, and none that is older than what is kept. */
export function addSample(samples: readonly Sample[], sample: Sample): Sample[] {
  return [...samples.filter((one) => one.atMs > sample.atMs - WINDOW_MS), sample];
}

/** What came before, as far as nothing was watched here, and then what was. */
export function mergeSamples(before: readonly Sample[], watched: readonly Sample[]): Sample[] {
  const begin = watched[0]?.atMs ?? Infinity;
  return [...before.filter((one) => one.atMs < begin), ...watched];
}

/** What larder remembers, the oldest first. Its clock may differ from this one: the newest is now. */
export function historyIn(history: unknown, nowMs = Date.now()): Sample[] {
  const told = objectsOf(history).flatMap((one) => {
    const s = one["t"];
    return typeof s === "number" ? [{ s, one: one as Resources }] : [];
  });
  told.sort((a, b) => a.s - b.s);
  const last = told.at(-1)?.s ?? 0;
  return told
    .map(({ s, one }) => ({ atMs: nowMs - (last - s) * 1000, values: one }))
    .filter((one) => one.atMs > nowMs - WINDOW_MS);
}

/** A number among the values; `undefined` where the box does not know. */
export function numberIn(values: Resources | undefined, key: string): number | undefined {
  const value = values?.[key];
  return typeof value === "number" ? value : undefined;
}

/** What the box warns of, and in our words where we know its code. */
export interface Warning {
  code: string;
  text: string;
  key: TextKey | undefined;
}

const KEYS: Record<string, TextKey> = {
  under_voltage: "dashboard.underVoltage",
  storage_read_only: "dashboard.storageReadOnly",
  state_read_only: "dashboard.stateReadOnly",
  storage_full: "dashboard.storageFull",
  state_full: "dashboard.stateFull",
  storage_absent: "dashboard.storageAbsent",
  too_hot: "dashboard.tooHot",
  throttled: "dashboard.throttled",
  under_voltage_before: "dashboard.underVoltageBefore",
  too_hot_before: "dashboard.tooHotBefore",
  card_busy: "dashboard.cardBusy",
};

export function warningsIn(values: Resources | undefined): Warning[] {
  return objectsIn(values, "warnings").flatMap(({ code, text }) =>
    typeof code === "string" && typeof text === "string" ? [{ code, text, key: KEYS[code] }] : [],
  );
}

/** What was written to a drive of the box, and since when (RFC 3339). */
export interface Written {
  drive: string;
  bytes: number;
  since: string;
}

export function writtenIn(values: Resources | undefined): Written[] {
  return objectsIn(values, "written").flatMap(({ drive, bytes, since }) =>
    typeof drive === "string" && typeof bytes === "number" && typeof since === "string"
      ? [{ drive, bytes, since }]
      : [],
  );
}

function objectsIn(values: Resources | undefined, key: string): Record<string, unknown>[] {
  return objectsOf(values?.[key]);
}

function objectsOf(list: unknown): Record<string, unknown>[] {
  const isObject = (one: unknown) => typeof one === "object" && one !== null;
  return Array.isArray(list) ? (list.filter(isObject) as Record<string, unknown>[]) : [];
}
