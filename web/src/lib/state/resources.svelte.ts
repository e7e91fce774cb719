// How busy the box is, over the last ten minutes: as larder remembers them, then as this page watches.
import type { Shape } from "../api/call.ts";
import { readHistory, readResources } from "../api/system.ts";
import type { Busyness, Resources } from "../api/types.ts";
import { events } from "./events.svelte.ts";
import { leftBecause } from "./session.svelte.ts";
import type { TextKey } from "./texts.svelte.ts";

/** What is kept (ms), and how often to ask where nobody tells (ms). */
const WINDOW_MS = 10 * 60_000;
const ASK_EVERY_MS = 2000;

export interface Sample {
  atMs: number;
  /** What is not known of that time is left out. */
  values: Partial<Busyness>;
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
      this.#add(data as Partial<Busyness>);
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
      this.#add(now);
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

  #add(values: Partial<Busyness>): void {
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
export function historyIn(history: Resources["history"] = [], nowMs = Date.now()): Sample[] {
  const told = [...history].sort((a, b) => a.t - b.t);
  const last = told.at(-1)?.t ?? 0;
  return told
    .map(({ t: s, ...values }) => ({ atMs: nowMs - (last - s) * 1000, values }))
    .filter((one) => one.atMs > nowMs - WINDOW_MS);
}

/** What is measured, by its name. */
export type Measure = keyof Busyness;

/** A number among the values; `undefined` where the box does not know. */
export function numberIn(values: Partial<Busyness> | undefined, key: Measure): number | undefined {
  const value = values?.[key];
  return typeof value === "number" ? value : undefined;
}

/** What the box warns of, and in our words where we know its code. */
export interface Warning {
  code: string;
  text: string;
  key: TextKey | undefined;
}

/** Our words for each warning that this server can give. */
const KEYS: Record<Shape<"Warning">["code"], TextKey> = {
  under_voltage: "dashboard.underVoltage",
  storage_read_only: "dashboard.storageReadOnly",
  state_read_only: "dashboard.stateReadOnly",
  storage_full: "dashboard.storageFull",
  state_full: "dashboard.stateFull",
  storage_silent: "dashboard.storageSilent",
  drive_missed: "dashboard.driveMissed",
  storage_absent: "dashboard.storageAbsent",
  too_hot: "dashboard.tooHot",
  throttled: "dashboard.throttled",
  under_voltage_before: "dashboard.underVoltageBefore",
  too_hot_before: "dashboard.tooHotBefore",
  card_busy: "dashboard.cardBusy",
};

export function warningsIn(values: Partial<Busyness> | undefined): Warning[] {
  // A server that is newer than the page may know of more.
  const words: Partial<Record<string, TextKey>> = KEYS;
  return (values?.warnings ?? []).map(({ code, text }) => ({ code, text, key: words[code] }));
}
