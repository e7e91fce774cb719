// What every end-to-end test needs: a page of somebody signed in, and what must hold everywhere.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { ADMIN, type Larder, startBrowser, startLarder } from "./larder.ts";

/** What axe must find nothing against: WCAG 2.2 AA and what it counts as good practice. */
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
export const PHONE = { width: 360, height: 720 };
export const DESK = { width: 1280, height: 800 };
export const WIDE = { width: 1440, height: 900 };
/** A phone in all that pages can tell: its size, and fingers instead of a mouse. */
export const PHONE_DEVICE = { viewport: PHONE, hasTouch: true, isMobile: true };
/** Frames that a finger takes from one place to the next. */
const TOUCH_FRAMES = 6;
/** More places than any view has for the focus to go to. */
const TABS_MAX = 90;
/** Characters that are told of what the focus met: the page itself may be among it. */
const TOLD_MAX = 40;
/** A name that does harm wherever it is taken for markup. */
export const STRANGE_NAME = `<img src=x onerror="document.title='run'">&amp; 'a' 100%#?.txt`;

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core"), "utf8");

/** One entry of Chromium's trace; `tdur` is its time on the processor (µs). */
interface TraceEvent {
  name: string;
  pid: number;
  tid: number;
  tdur?: number;
  args: { name?: string };
}

export class Walk {
  larder!: Larder;
  browser!: Browser;
  context!: BrowserContext;
  page!: Page;
  /** What the browser complained about: script errors, and whatever the policy stopped. */
  complaints: string[] = [];
  #kept = new Map<string, BrowserContextOptions["storageState"]>();

  /** One larder and one browser for a file of tests; each test may open a context of its own. */
  constructor() {
    beforeAll(async () => {
      this.larder = await startLarder();
      this.browser = await startBrowser();
    });
    afterEach(async () => {
      await this.context?.close();
      const complaints = this.complaints.splice(0);
      expect(complaints).toEqual([]);
    });
    afterAll(async () => {
      await this.browser?.close();
      await this.larder?.stop();
    });
  }

  async open(options: BrowserContextOptions = {}): Promise<Page> {
    await this.context?.close();
    // What a worker keeps or answers no test would see; app.test.ts has one.
    const usual = { locale: "en-GB", viewport: DESK, serviceWorkers: "block" as const };
    this.context = await this.browser.newContext({ ...usual, ...options });
    return this.newPage();
  }

  async newPage(): Promise<Page> {
    const page = await this.context.newPage();
    page.setDefaultTimeout(20_000);
    page.on("request", (request) => {
      const { protocol, origin } = new URL(request.url());
      // What the browser's own parts load, such as its viewer for PDF, comes from itself.
      const isOurs = origin === this.larder.url || !/^(https?|wss?):$/.test(protocol);
      if (!isOurs) this.complaints.push(`a request to elsewhere: ${request.url()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // An answer that refuses is part of some walks, and not the page's fault.
      const isAnswer = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isAnswer) this.complaints.push(message.text());
    });
    this.page = page;
    return page;
  }

  /** Opens a page as somebody; signs in by the form once, and keeps that for the next time. */
  async enter(at = "/", who = ADMIN, options: BrowserContextOptions = {}): Promise<Page> {
    const kept = this.#kept.get(who.name);
    const page = await this.open({ ...options, ...(kept && { storageState: kept }) });
    if (kept) {
      await page.goto(this.larder.url + at);
    } else {
      await this.signIn(who, at);
      this.#kept.set(who.name, await this.context.storageState());
    }
    return page;
  }

  /** Fills the sign-in form, and again whenever larder asks for patience. */
  async signIn(who = ADMIN, at = "/"): Promise<void> {
    const { page } = this;
    await page.goto(this.larder.url + at);
    await page.getByLabel(/User name|Benutzername/).fill(who.name);
    await page.locator("input[autocomplete=current-password]").fill(who.password);
    await this.submitSignIn();
    await page.waitForURL((url) => url.pathname !== "/auth");
  }

  async submitSignIn(): Promise<void> {
    for (;;) {
      const answer = this.page.waitForResponse((one) => one.url().endsWith("/api/user/login"));
      await this.page.locator("button[type=submit]:enabled").click();
      // The button stays shut for as long as larder said.
      if ((await answer).status() !== 429) break;
    }
  }

  /** Gives the password over the page, after the session ended under it. */
  async signInAgain(who = ADMIN): Promise<void> {
    const dialog = this.page.getByRole("dialog", { name: "Your session is over" });
    await dialog.getByLabel("Password", { exact: true }).fill(who.password);
    await this.submitSignIn();
    await dialog.waitFor({ state: "detached" });
  }

  /**
   * A way for fingers: each place is that of all that touch the screen. They go from one to the next in
   * a few frames, as in a quick swipe.
   */
  async touch(...places: { x: number; y: number }[][]): Promise<void> {
    const fingers = await this.context.newCDPSession(this.page);
    const send = (type: "touchStart" | "touchMove" | "touchEnd", touchPoints: { x: number; y: number }[]) =>
      fingers.send("Input.dispatchTouchEvent", { type, touchPoints });
    const [first = [], ...others] = places;
    await send("touchStart", first);
    let from = first;
    for (const to of others) {
      for (let frame = 1; frame <= TOUCH_FRAMES; frame += 1) {
        const between = (start: number, end: number) => start + ((end - start) * frame) / TOUCH_FRAMES;
        await send("touchMove", to.map((end, at) => ({ x: between(from[at]?.x ?? end.x, end.x), y: between(from[at]?.y ?? end.y, end.y) })));
        await this.page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
      }
      from = to;
    }
    await send("touchEnd", []);
    await fingers.detach();
  }

  /** A finger that stays on an entry until the menu opens. */
  async pressLong(name: string): Promise<void> {
    const box = await this.entry(name).boundingBox();
    const at = { x: (box?.x ?? 0) + 80, y: (box?.y ?? 0) + 30 };
    const finger = await this.context.newCDPSession(this.page);
    await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at] });
    await this.page.getByRole("menu").waitFor();
    await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await finger.detach();
  }

  /** Presses Tab until something of this name has the focus; fails when the page ends first. */
  async tabTo(name: string | RegExp, key = "Tab"): Promise<void> {
    const met: string[] = [];
    for (let step = 0; step < TABS_MAX; step += 1) {
      await this.page.keyboard.press(key);
      const now = await this.page.evaluate(() => {
        const one = document.activeElement as HTMLInputElement | null;
        return (one?.getAttribute("aria-label") ?? one?.labels?.[0]?.textContent ?? one?.textContent ?? "").trim();
      });
      if (typeof name === "string" ? now === name : name.test(now)) return;
      met.push(now.slice(0, TOLD_MAX));
    }
    throw new Error(`the keyboard does not reach ${name}; it met ${met.join(" | ")}`);
  }

  /** An entry of the folder on show, as a row or a tile. */
  entry(name: string) {
    return this.page.locator("[data-at]").filter({ has: this.page.getByText(name, { exact: true }) });
  }

  names(): Promise<string[]> {
    return this.page.locator("[data-at] .title").allInnerTexts();
  }

  selected(): Promise<string[]> {
    return this.page.locator("[data-at][aria-selected=true] .title").allInnerTexts();
  }

  /** Picks an action from an entry's menu. */
  async pick(name: string, action: string): Promise<void> {
    await this.entry(name).click({ button: "right" });
    await this.page.getByRole("menuitem", { name: action, exact: false }).first().click();
  }

  /** Has axe look at the page as it stands; animations are over first. */
  async expectAccessible(where: string): Promise<void> {
    const { page } = this;
    await page.evaluate(async () => {
      const moving = () =>
        document
          .getAnimations()
          .filter((one) => one.playState === "running" && one.effect?.getComputedTiming().iterations !== Infinity)
          // What is folded away has no frames, so that nothing in it ever ends.
          .filter((one) => !(one.effect instanceof KeyframeEffect) || one.effect.target?.checkVisibility() !== false);
      // A colour that changes may be passed on to what changes its own only then.
      for (let all = moving(); all.length > 0; all = moving()) {
        await Promise.all(all.map((one) => one.finished.catch(() => undefined)));
        await new Promise(requestAnimationFrame);
      }
    });
    // By evaluation, not as a script element: the policy would stop that.
    await page.evaluate(axeSource);
    const findings = await page.evaluate(async (tags) => {
      const axe = (globalThis as unknown as { axe: typeof import("axe-core") }).axe;
      const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags } });
      return violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`);
    }, AXE_TAGS);
    expect(findings, where).toEqual([]);
  }

  /** Whether everything fits: a page that scrolls sideways is broken on a phone. */
  async expectNoSidewaysScroll(where: string): Promise<void> {
    const tooWide = await this.page.evaluate(() =>
      [document.documentElement, ...document.querySelectorAll("dialog[open]")]
        .filter((one) => one.scrollWidth > one.clientWidth)
        .map((one) => `${one.tagName}: ${one.scrollWidth} px in ${one.clientWidth} px`),
    );
    expect(tooWide, where).toEqual([]);
  }

  /** Whether a finger hits everything that can be pressed. */
  async expectTargets(where: string): Promise<void> {
    const small = await this.page.evaluate(() =>
      [...document.querySelectorAll("button, a[href], [role=menuitem]")]
        .filter((one) => one.checkVisibility() && !one.closest(".skip, p, dd") && !one.matches(".skip"))
        .map((one) => ({ box: one.getBoundingClientRect(), html: `${one.tagName} ${one.className} ${one.textContent}` }))
        .filter(({ box }) => box.height > 0 && (box.height < 43.5 || box.width < 35.5))
        .map(({ html, box }) => `${html} ${box.width}x${box.height}`),
    );
    expect(small, where).toEqual([]);
  }

  /**
   * The processor time (ms) of the longest task the page's main thread had while `action` ran: script,
   * style and layout of a frame are one task. Not the time between frames, which also counts whatever
   * else has the machine's cores: on a busy one that says nothing about the page.
   */
  async busiestTask(action: () => Promise<void>): Promise<number> {
    const session = await this.context.newCDPSession(this.page);
    const traced: TraceEvent[] = [];
    session.on("Tracing.dataCollected", ({ value }) => traced.push(...(value as unknown as TraceEvent[])));
    const ended = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.start", {
      transferMode: "ReportEvents",
      traceConfig: { includedCategories: ["disabled-by-default-devtools.timeline", "__metadata"] },
    });
    await action();
    await session.send("Tracing.end");
    await ended;
    await session.detach();
    const isMain = (one: TraceEvent) => one.name === "thread_name" && one.args.name === "CrRendererMain";
    const threadOf = (one: TraceEvent) => `${one.pid}/${one.tid}`;
    const mains = new Set(traced.filter(isMain).map(threadOf));
    const tasks = traced.filter((one) => one.name === "RunTask" && mains.has(threadOf(one)));
    // A trace without tasks would pass for a quick page.
    expect(tasks.length).toBeGreaterThan(0);
    return Math.max(...tasks.map((one) => (one.tdur ?? 0) / 1000));
  }

  /** Whether this larder has an endpoint. */
  async has(endpoint: string): Promise<boolean> {
    return Object.hasOwn((await this.api("/api/role/self")) as object, endpoint);
  }

  /** Sends what only tests send by the API, as the admin. */
  async api(path: string, body?: object): Promise<unknown> {
    return await this.page.evaluate(
      async ([address, text]) => {
        const token = localStorage.getItem("larder.token") ?? "";
        const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
        const init = text === undefined ? { headers } : { method: "POST", headers, body: text };
        // eslint-disable-next-line no-restricted-globals -- runs in the page, beside its code
        return await (await fetch(address as string, init as RequestInit)).json();
      },
      [path, body === undefined ? undefined : JSON.stringify(body)],
    );
  }
}

/** Silence as a WAV file: 8 kHz, 8 bit, mono. */
export function silence(seconds = 0.1): Buffer {
  const samples = Math.round(8000 * seconds);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + samples, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples, 40);
  return Buffer.concat([head, Buffer.alloc(samples, 128)]);
}
