// What processes held in memory at most, as Linux counts it.
import { readFileSync } from "node:fs";
import type { Walk } from "./harness.ts";

/** What the largest of the browser's pages holds in memory of its own now (MiB): without what programs share. */
export async function readPageMib(walk: Walk): Promise<number> {
  const session = await walk.browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const own = processInfo.filter(({ type }) => type === "renderer").map(({ id }) => {
    const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
    return Number(kib) / 1024;
  });
  return Math.max(...own);
}

/** The peak (MiB) of larder's process and of each of the browser's, by kind and id. */
export async function readPeakMib(walk: Walk): Promise<Record<string, number>> {
  const session = await walk.browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  await session.detach();
  const all = [...processInfo.map(({ type, id }) => [type, id] as const), ["larder", walk.larder.pid()] as const];
  return Object.fromEntries(all.flatMap(([type, id]) => {
    try {
      const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1];
      return [[`${type} ${id}`, Math.round(Number(kib) / 1024)]];
    } catch {
      // It ended meanwhile.
      return [];
    }
  }));
}
