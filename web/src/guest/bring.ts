// "Add yours": a name, choosing, what is on its way, and a thank-you.
import camera from "lucide:camera";
import alert from "lucide:circle-alert";
import check from "lucide:circle-check";
import files from "lucide:file-plus";
import heart from "lucide:heart";
import photos from "lucide:image-plus";
import again from "lucide:rotate-cw";
import close from "lucide:x";
import de from "../texts/guest/bring.de.json";
import en from "../texts/guest/bring.en.json";
import { hooks } from "../lib/api/http.ts";
import { Problem } from "../lib/api/problem.ts";
import { formatDuration, formatSize } from "../lib/state/format.ts";
import { keep, readKept } from "../lib/state/keep.ts";
import { keepReading } from "../lib/state/retry.ts";
import { h, icon, put, set } from "./dom.ts";
import { open } from "./link.ts";
import { isOver } from "./over.ts";
import { type Bringing, Queue } from "./queue.ts";
import { addWords, describe, locale, plural, t } from "./words.ts";

addWords({ en, de });

/** How often the figures are drawn anew (ms). */
const DRAW_EVERY_MS = 250;
/** Bytes a name may have at larder. */
const NAME_MAX = 64;
const NAME_KEPT_AS = "guest.name";

/** Nobody calls it off that a name is told. */
const never = new AbortController().signal;

/** What is no better at another try. */
const isForGood = (cause: unknown) =>
  cause instanceof Problem && (cause.code === "limit_reached" || ["gone", "missing"].includes(cause.kind));

export interface BringActions {
  /** There is nothing else on the page. */
  isAlone: boolean;
  /** The folder that is on show. */
  folder: () => string;
  /** All that was brought has arrived. */
  onbrought: () => void;
}

interface Line {
  element: HTMLLIElement;
  sign: HTMLElement;
  bar: HTMLProgressElement;
  words: HTMLElement;
  again: HTMLButtonElement;
  drop: HTMLButtonElement;
}

export class Bring {
  readonly element: HTMLElement;
  #name: HTMLInputElement;
  /** The name that larder was told. */
  #told: string | undefined;
  #telling = Promise.resolve(true);
  /** Why nothing goes on its way yet, or not all. */
  #said = h("p", { class: "said", role: "status" });
  /** The causes of failures that were looked into. */
  #known = new WeakSet<object>();
  #queue = new Queue(() => this.#soon());
  #lines = new Map<Bringing, Line>();
  #list = h("ul", { class: "brought", role: "list", "aria-label": t("brought") });
  #sum = h("p", { class: "sum", "aria-hidden": "true" });
  #bar = h("progress", { max: 1, "aria-label": t("progress") });
  #thanks = h("div", { class: "thanks", role: "status" });
  #isDue = false;
  /** How many were thanked for. */
  #thanked = 0;
  #choices: HTMLElement;

  constructor(readonly actions: BringActions) {
    this.#name = h("input", { id: "who", type: "text", "aria-describedby": "whoMay", autocomplete: "given-name", maxlength: NAME_MAX });
    this.#name.value = readKept(NAME_KEPT_AS) ?? "";
    const isTouch = matchMedia("(pointer: coarse)").matches;
    this.#choices = h(
      "div",
      { class: "choices" },
      this.#chooser(t("choosePhotos"), photos, { accept: "image/*,video/*", multiple: true }, true),
      isTouch && this.#chooser(t("takePhoto"), camera, { accept: "image/*", capture: "environment" }),
      this.#chooser(t("chooseFiles"), files, { multiple: true }),
    );
    this.element = h(
      "section",
      { class: "bring", "aria-labelledby": "bring" },
      h("h2", { id: "bring", tabindex: -1 }, t(actions.isAlone ? "whatToBring" : "addYours")),
      h("div", { class: "who" }, h("label", { for: "who" }, t("whoAreYou")), this.#name, h("p", { id: "whoMay", class: "hint" }, t("mayStayEmpty"))),
      this.#choices,
      !isTouch && h("p", { class: "hint" }, t("orDrop")),
      this.#said,
      this.#thanks,
      h("div", { class: "going" }, this.#bar, this.#sum),
      this.#list,
    );
    this.#draw();
    window.addEventListener("beforeunload", (event) => {
      if (!this.#queue.isBusy) return;
      event.preventDefault();
      // What older browsers ask by.
      event.returnValue = "";
    });
    takeDropped((dropped) => this.add(dropped));
  }

  /** Takes the focus to its beginning. */
  focus(): void {
    this.element.scrollIntoView({ block: "start" });
    this.element.querySelector("h2")?.focus({ preventScroll: true });
  }

  add(chosen: readonly File[]): void {
    // The link may have ended meanwhile, and the page says so.
    if (chosen.length === 0 || !this.element.isConnected) return;
    this.element.hidden = false;
    const folder = this.actions.folder();
    this.#telling = this.#telling.then(() => this.#introduce());
    void this.#telling.then((isKnown) => isKnown && this.#send(chosen, folder));
  }

  #send(chosen: readonly File[], folder: string): void {
    const skipped = this.#queue.add(chosen, folder);
    this.#said.textContent = skipped === 0 ? "" : plural("skipped", skipped);
  }

  /** Tells larder who brings this, once for each name; a cookie remembers it there. Returns whether larder knows. */
  async #introduce(): Promise<boolean> {
    const guest = this.#name.value.trim();
    if (this.#told === guest) return true;
    keep(NAME_KEPT_AS, guest);
    try {
      await keepReading(() => this.#tell(guest), (problem) => (this.#said.textContent = describe(problem, true)), never);
      this.#told = guest;
      return true;
    } catch (cause) {
      if (await isOver(cause)) return false;
      this.#said.textContent = t("isBadGuest");
      this.#name.focus();
      return false;
    }
  }

  /** Where the cookie is over, the password is asked for once more. */
  async #tell(guest: string): Promise<void> {
    const tell = () => open(guest === "" ? {} : { guest });
    await tell().catch(async (cause: unknown) => {
      if (!(cause instanceof Problem && ["signedOut", "wrongPassword"].includes(cause.kind))) throw cause;
      await hooks.signInAgain(null);
      await tell();
    });
  }

  #chooser(words: string, node: typeof files, how: { accept?: string; multiple?: boolean; capture?: string }, isMain = false): HTMLElement {
    const input: HTMLInputElement = h("input", {
      type: "file",
      class: "only-spoken",
      ...how,
      onchange: () => {
        const chosen = Array.from(input.files ?? []);
        // The same ones can be chosen again.
        input.value = "";
        this.add(chosen);
      },
    });
    return h("label", { class: isMain ? "button isMain" : "button" }, input, icon(node), words);
  }

  // ---- what is on its way

  #soon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      this.#draw();
    }, DRAW_EVERY_MS);
  }

  #draw(): void {
    const { all, isBusy, sent, size } = this.#queue;
    for (const [one, line] of this.#lines) {
      if (all.includes(one)) continue;
      line.element.remove();
      this.#lines.delete(one);
    }
    for (const one of all) this.#drawLine(one, this.#lines.get(one) ?? this.#begin(one));
    this.#bar.value = size === 0 ? 0 : sent / size;
    this.#bar.parentElement?.classList.toggle("isOver", !isBusy);
    this.#sum.textContent = isBusy ? this.#figures() : "";
    if (!isBusy) this.#thank();
    else if (this.#thanks.firstChild) put(this.#thanks);
    // Time goes on while nothing comes.
    if (isBusy) this.#soon();
  }

  #figures(): string {
    const { sent, size, secondsLeft } = this.#queue;
    const done = this.#queue.count("done");
    const parts = [
      t("countOf", { at: done, of: this.#queue.all.length - this.#queue.count("failed") }),
      t("bytesOf", { at: formatSize(sent, locale()), of: formatSize(size, locale()) }),
    ];
    if (secondsLeft !== undefined && secondsLeft > 1) parts.push(t("timeLeft", { time: formatDuration(secondsLeft, locale()) }));
    return parts.join(" · ");
  }

  #begin(one: Bringing): Line {
    const { name } = one.file;
    const bar = h("progress", { max: 1, "aria-label": name });
    const words = h("span", { class: "facts" });
    const button = (label: string, node: typeof close, action: () => void) =>
      h("button", { type: "button", class: "get", "aria-label": label, onclick: action }, icon(node));
    const retry = button(t("tryAgainNamed", { name }), again, () => this.#queue.retry(one));
    const drop = button(t("dropNamed", { name }), close, () => this.#queue.drop(one));
    const about = h("span", { class: "about" }, h("span", { class: "name" }, name), bar, words);
    const sign = h("span", { class: "kind" }, icon(check, 28));
    const element = h("li", {}, sign, about, retry, drop);
    const line = { element, sign, bar, words, again: retry, drop };
    this.#lines.set(one, line);
    this.#list.append(element);
    return line;
  }

  #drawLine(one: Bringing, line: Line): void {
    const { state, cause, file, sent } = one;
    if (line.element.className !== `is-${state}`) put(line.sign, icon(state === "failed" ? alert : check, 28));
    set(line.element, "class", `is-${state}`);
    if (state === "failed") this.#lookInto(cause);
    line.bar.value = file.size === 0 ? 0 : sent / file.size;
    line.bar.hidden = state === "done" || state === "failed";
    line.again.hidden = state !== "failed" || isForGood(cause);
    line.drop.hidden = state === "done";
    const words = cause === undefined ? sizeOf(one) : describe(cause, state === "held");
    if (line.words.textContent !== words) line.words.textContent = words;
    set(line.words, "role", cause === undefined ? undefined : "status");
  }

  /** A file that is refused may be the first to know that the link is over. */
  #lookInto(cause: unknown): void {
    if (!(cause instanceof Problem) || this.#known.has(cause)) return;
    this.#known.add(cause);
    void isOver(cause);
  }

  #thank(): void {
    const done = this.#queue.count("done");
    if (done === this.#thanked || done === 0) return;
    this.#thanked = done;
    const failed = this.#queue.count("failed");
    const who = this.#name.value.trim();
    put(
      this.#thanks,
      icon(heart, 40),
      h("p", { class: "big" }, who === "" ? t("thanks") : t("thanksNamed", { name: who })),
      h("p", {}, plural(this.#queue.isAllPhotos ? "broughtPhotos" : "broughtFiles", done)),
      failed > 0 && h("p", {}, plural("notTaken", failed)),
    );
    this.actions.onbrought();
  }
}

/** How large it is, and where it went on after a break. */
function sizeOf({ state, file, continuedAt = 0 }: Bringing): string {
  const of = formatSize(file.size, locale());
  return state === "sending" && continuedAt > 0 ? t("continuedAt", { at: formatSize(continuedAt, locale()), of }) : of;
}

/** Takes files that are dropped anywhere on the page, or pasted into it. */
function takeDropped(take: (files: readonly File[]) => void): void {
  const filesIn = (data: DataTransfer | null) => Array.from(data?.files ?? []);
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer || !Array.from(event.dataTransfer.types).includes("Files")) return;
    event.preventDefault();
    document.body.classList.add("isOver");
  });
  const over = () => document.body.classList.remove("isOver");
  document.addEventListener("dragleave", (event) => event.relatedTarget === null && over());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    over();
    take(filesIn(event.dataTransfer));
  });
  document.addEventListener("paste", (event) => {
    const files = filesIn(event.clipboardData);
    if (files.length > 0) event.preventDefault();
    take(files);
  });
}
