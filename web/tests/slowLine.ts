// What a page takes of a slow line, told by what no busy machine changes: bytes, requests that wait for each other, and
// the processor's time.
import { readFileSync } from "node:fs";
import type { CDPSession } from "playwright-core";
import type { Walk } from "./harness.ts";

/** Bits per second of the line that the bars are about, and how far away its other end is (ms, there and back). */
const BITS_PER_S = 10_000_000;
const AWAY_MS = 20;
const BYTES_PER_S = BITS_PER_S / 8;

/** That line, as the browser is told of it. */
export const LINE = { offline: false, latency: AWAY_MS, downloadThroughput: BYTES_PER_S, uploadThroughput: BYTES_PER_S };

/** What a line of 10 Mbit/s needs for so much (ms). */
export const lineMs = (bytes: number) => (bytes / BYTES_PER_S) * 1000;

interface Asked {
  /** When it was asked, and when all of it was there (s on the browser's clock). */
  from: number;
  until: number;
  bytes: number;
}

/** What it took to have something on the screen. */
export interface Cost {
  bytes: number;
  requests: number;
  /** What the line makes of them (ms), with nothing else to wait for. */
  lineMs: number;
  /** What the page's main thread took of the processor (ms). */
  pageMs: number;
  /** Both, as if nothing were done while something is on its way: only other work on the machine makes it take longer. */
  workMs: number;
  /** How long it took by the clock, on this machine, beside whatever else it did. */
  clockMs: number;
}

/** Watches what a page asks for over the slow line. */
export class SlowLine {
  #asked = new Map<string, Asked>();

  private constructor(
    readonly walk: Walk,
    readonly session: CDPSession,
  ) {
    session.on("Network.requestWillBeSent", ({ requestId, timestamp }) => {
      this.#asked.set(requestId, { from: timestamp, until: Infinity, bytes: 0 });
    });
    session.on("Network.dataReceived", ({ requestId, encodedDataLength }) => {
      const one = this.#asked.get(requestId);
      if (one) one.bytes += encodedDataLength;
    });
    session.on("Network.loadingFinished", ({ requestId, encodedDataLength, timestamp }) => {
      const one = this.#asked.get(requestId);
      // With its head; what the browser had already costs nothing.
      if (one) Object.assign(one, { bytes: encodedDataLength, until: timestamp });
    });
  }

  /** Puts the page on show behind that line. */
  static async before(walk: Walk): Promise<SlowLine> {
    const session = await walk.context.newCDPSession(walk.page);
    await session.send("Network.enable");
    await session.send("Network.emulateNetworkConditions", LINE);
    return new SlowLine(walk, session);
  }

  /** Opens an address with nothing kept; what it cost until `there` resolves. */
  async open(at: string, there: () => Promise<unknown>): Promise<Cost> {
    const { page, larder } = this.walk;
    await this.session.send("Network.clearBrowserCache");
    this.#asked.clear();
    const before = await this.#mainThreads();
    await page.goto(larder.url + at, { waitUntil: "commit" });
    await there();
    const [clockMs, after] = [await page.evaluate(() => performance.now()), await this.#mainThreads()];
    // What came over no line, as a picture that is unpacked from memory, costs nothing of it.
    const asked = [...this.#asked.values()].filter((one) => one.bytes > 0);
    const bytes = asked.reduce((sum, one) => sum + one.bytes, 0);
    const pageMs = [...after].reduce((sum, [id, ms]) => sum + ms - (before.get(id) ?? 0), 0);
    const line = onTheLine(asked);
    return { bytes, requests: asked.length, lineMs: line, pageMs, workMs: line + pageMs, clockMs };
  }

  /** What the main thread of each of the browser's pages took of the processor until now (ms), by process. */
  async #mainThreads(): Promise<Map<number, number>> {
    const session = await this.walk.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    const pages = processInfo.filter(({ type }) => type === "renderer");
    // Its first figure, in nanoseconds: https://docs.kernel.org/scheduler/sched-stats.html
    const takenBy = (id: number) => Number(readFileSync(`/proc/${id}/task/${id}/schedstat`, "utf8").split(" ")[0]) / 1e6;
    return new Map(pages.map(({ id }) => [id, takenBy(id)]));
  }

  async leave(): Promise<void> {
    await this.session.detach();
  }
}

/**
 * How long the line takes for all of them (ms): each is sent when the last one that was there before it is there, waits
 * for the way there and back, and has the line for itself in its turn. Nothing is counted that a busy machine adds.
 */
function onTheLine(asked: readonly Asked[]): number {
  const there: { until: number; atMs: number }[] = [];
  // Connected first.
  let freeAtMs = AWAY_MS;
  for (const { from, until, bytes } of [...asked].sort((one, other) => one.from - other.from)) {
    const before = there.filter((one) => one.until <= from).map(({ atMs }) => atMs);
    // The page itself comes before all others, which may be asked for by its first lines.
    const sentAtMs = Math.max(there.length === 0 ? AWAY_MS : 2 * AWAY_MS, ...before);
    freeAtMs = Math.max(freeAtMs, sentAtMs + AWAY_MS) + lineMs(bytes);
    there.push({ until, atMs: freeAtMs });
  }
  return freeAtMs;
}

export function tell(what: string, cost: Cost): void {
  const ms = (value: number) => `${value.toFixed(0)} ms`;
  console.info(
    `${what}: ${cost.bytes} bytes in ${cost.requests} requests; line ${ms(cost.lineMs)} + page ${ms(cost.pageMs)} = ` +
      `${ms(cost.workMs)}; by the clock ${ms(cost.clockMs)}`,
  );
}
