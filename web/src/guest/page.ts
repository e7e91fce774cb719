// The guest's page: finds out what the link is for, and shows that.
import back from "lucide:chevron-left";
import download from "lucide:download";
import pick from "lucide:list-checks";
import plus from "lucide:image-plus";
import { hooks } from "../lib/api/http.ts";
import { Problem } from "../lib/api/problem.ts";
import { uploadsAt } from "../lib/api/tus.ts";
import { formatDay } from "../lib/state/format.ts";
import { line } from "../lib/photos/line.ts";
import { nameOf, parentOf } from "../lib/state/paths.ts";
import { readable } from "../lib/state/rawNames.ts";
import { keepReading } from "../lib/state/retry.ts";
import type { Bring } from "./bring.ts";
import { Choice } from "./choice.ts";
import { h, icon, put } from "./dom.ts";
import { fileCard } from "./file.ts";
import { Folder } from "./folder.ts";
import { askPassword } from "./gate.ts";
import { askInfo, askList, base, downloadAddress, expectDownload, type Info, isInfo } from "./link.ts";
import { isOver, over } from "./over.ts";
import { loadBring, loadViewer } from "./parts.ts";
import { readPlace, writePlace } from "./place.ts";
import { showSentence } from "./sentence.ts";
import { followTheme } from "./theme.ts";
import { describe, locale, plural, startWords, t } from "./words.ts";

/** Characters of an address that larder surely takes. */
const ADDRESS_MAX = 6000;

/** Nobody calls the page's own questions off. */
const never = new AbortController().signal;

/** Puts the page on the screen. */
export async function start(root: HTMLElement): Promise<void> {
  followTheme();
  startWords();
  // A link needs nobody's session, and none goes along.
  hooks.token = () => null;
  uploadsAt.address = `${base}/uploads`;
  document.title = t("title");
  const [gate, shell] = [h("div"), h("div")];
  put(root, gate, shell);
  let page: Page | undefined;
  const end = (cause: unknown) => {
    page?.leave();
    put(shell);
    showSentence(gate, cause);
  };
  over.tell = () => end(new Problem("gone", "The link ended while its page was open"));
  hooks.signInAgain = passwordAsker(gate, shell, () => page?.look("", false));
  try {
    const info = await learn(gate);
    put(gate);
    page = new Page(shell, info);
    await page.begin();
  } catch (cause) {
    // One that was never known leads nowhere; one that was is over.
    if (!page || !(await isOver(cause))) end(cause);
  }
}

/** What asks for the password whenever it is missing; all that is asked meanwhile waits and goes on. */
function passwordAsker(gate: HTMLElement, shell: HTMLElement, clear: () => void): () => Promise<void> {
  let asking: Promise<void> | undefined;
  return () => {
    shell.hidden = true;
    // It would be asked for below the viewer.
    clear();
    asking ??= askPassword(gate).then(() => {
      asking = undefined;
      shell.hidden = false;
      put(gate);
    });
    return asking;
  };
}

/** What the link is for, once larder tells. */
async function learn(gate: HTMLElement): Promise<Info> {
  for (;;) {
    const info = await keepReading(askInfo, (problem) => showSentence(gate, problem), never);
    if (isInfo(info)) return info;
    await hooks.signInAgain(null);
  }
}

class Page {
  #choice = new Choice();
  #main: HTMLElement;
  #place = h("div");
  #bringing = h("div");
  /** What is on show, and the way up from it. */
  #where = h("div", { class: "where" });
  #said = h("p");
  /** Over everything, the viewer too. */
  #notice = h(
    "div",
    { class: "notice", role: "alert", hidden: true },
    this.#said,
    h("button", { type: "button", class: "button", onclick: () => this.#say(undefined) }, t("close")),
  );
  #pick: HTMLButtonElement | undefined;
  #bar = h("div", { class: "chosen", role: "region", "aria-label": t("choose"), hidden: true });
  #folder: Folder | undefined;
  #bring: Bring | undefined;
  /** How far each folder was scrolled when it was left. */
  #scrolled = new Map<string, number>();
  /** The viewer was opened from the page, so that Back closes it. */
  #isOver = false;
  /** More has come than is on show. */
  #isStale = false;
  #leaving = new AbortController();

  constructor(
    readonly shell: HTMLElement,
    readonly info: Info,
  ) {
    // An album takes the width there is; anything else stands in the middle.
    const isAlbum = info.read && info.type === "folder";
    this.#main = h("main", { class: isAlbum ? "page" : "page isNarrow" });
  }

  get #title(): string {
    const { name, label, read } = this.info;
    return readable(name) || label || t(read ? "title" : "titleBring");
  }

  async begin(): Promise<void> {
    const { info } = this;
    document.title = this.#title;
    put(this.#main, this.#head(), this.#bringing, this.#place);
    put(this.shell, this.#main, this.#bar);
    document.body.append(this.#notice);
    this.#listen();
    if (!info.read) return void (await this.#showBring());
    if (info.type === "file") return put(this.#place, fileCard(info, (address) => void this.#save(address)));
    this.#choice.onChange(() => this.#showChoice());
    await this.#goOrFail();
    await line.untilIdle();
    await loadViewer();
    // What is dropped on the page is taken from now on.
    if (info.write) await this.#loadBring();
  }

  /** The link is over: nothing of it stays on the screen. */
  leave(): void {
    this.#leaving.abort();
    this.#notice.remove();
    this.#choice.end();
    this.#folder?.leave();
    this.#folder = undefined;
  }

  #listen(): void {
    const { signal } = this.#leaving;
    const listen = (on: EventTarget, type: string, action: (event: never) => void) => {
      on.addEventListener(type, action as EventListener, true);
      // Old browsers know no signal here.
      signal.addEventListener("abort", () => on.removeEventListener(type, action as EventListener, true));
    };
    listen(window, "hashchange", () => void this.#goOrFail());
    listen(document, "keydown", (event: KeyboardEvent) => this.#key(event));
    // Else the browser leaves the page for the file.
    const keepPage = (event: DragEvent) =>
      Array.from(event.dataTransfer?.types ?? []).includes("Files") && event.preventDefault();
    for (const type of ["dragover", "drop"]) listen(document, type, keepPage);
  }

  /** Escape takes away what is said, then ends choosing; else it is others'. */
  #key(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    if (!this.#notice.hidden) this.#say(undefined);
    else if (this.#choice.isOn) this.#choice.end();
    else return;
    event.stopPropagation();
  }

  #goOrFail(): Promise<void> {
    return this.#go().catch((cause) => this.#fail(cause));
  }

  /** A place that could not be shown. */
  async #fail(cause: unknown): Promise<void> {
    if (this.#leaving.signal.aborted || (await isOver(cause))) return;
    const kind = cause instanceof Problem ? cause.kind : "fault";
    if (kind === "missing" && readPlace(location.hash).folder !== "") {
      // Somebody took the folder away: the first one is there.
      location.replace(writePlace({ folder: "", file: "" }));
    } else {
      this.#say(cause);
    }
  }

  #head(): HTMLElement {
    const { info } = this;
    const isAsking = info.write && !info.read;
    const from = t(isAsking ? "asks" : "shares", { name: info.from });
    const face = h("span", { class: "face", "aria-hidden": "true" }, [...info.from][0]?.toUpperCase() ?? "");
    this.#showWhere("");
    return h("header", { class: "head" }, h("p", { class: "from" }, face, from), this.#where, this.#actions());
  }

  /** Says where one is: what is shared, or a folder in it and the way up. */
  #showWhere(path: string): void {
    const { expires, label } = this.info;
    if (path === "") {
      const title = h("h1", { tabindex: -1 }, this.#title);
      const until = expires && t("until", { day: formatDay(expires, locale()) });
      const facts = [label && label !== this.#title && t("forWhom", { label }), until].filter(Boolean).join(" · ");
      return put(this.#where, title, facts !== "" && h("p", { class: "facts" }, facts));
    }
    const up = parentOf(path);
    const words = up === "" ? this.#title : readable(nameOf(up));
    put(
      this.#where,
      h("nav", { "aria-label": t("where") }, h("a", { class: "up", href: writePlace({ folder: up, file: "" }) }, icon(back), words)),
      h("h1", { tabindex: -1 }, readable(nameOf(path))),
    );
  }

  #actions(): HTMLElement | false {
    const { info } = this;
    if (info.type === "file" || !info.read) return false;
    const button = (words: string, node: typeof plus, isMain: boolean, action: () => void) =>
      h("button", { type: "button", class: isMain ? "button isMain" : "button", onclick: action }, icon(node), words);
    this.#pick = button(t("choose"), pick, false, () => (this.#choice.isOn ? this.#choice.end() : this.#choice.begin()));
    this.#pick.setAttribute("aria-pressed", "false");
    return h(
      "div",
      { class: "actions" },
      info.write && button(t("addYours"), plus, true, () => void this.#showBring()),
      button(t("downloadAll"), download, !info.write, () => void this.#save(downloadAddress([this.#folder?.path ?? ""]))),
      this.#pick,
    );
  }

  async #loadBring(): Promise<Bring> {
    const { Bring } = await loadBring();
    if (this.#bring) return this.#bring;
    this.#bring = new Bring({
      isAlone: !this.info.read,
      folder: () => this.#folder?.path ?? "",
      onbrought: () => void this.#again().catch((cause) => this.#fail(cause)),
    });
    this.#bring.element.hidden = this.info.read;
    put(this.#bringing, this.#bring.element);
    return this.#bring;
  }

  async #showBring(): Promise<void> {
    const bring = await this.#loadBring();
    bring.element.hidden = false;
    if (this.info.read) bring.focus();
  }

  // ---- where one is

  /** Shows the place that the address says. */
  async #go(): Promise<void> {
    const { folder, file } = readPlace(location.hash);
    const now = this.#folder;
    if (now?.path !== folder) await this.#enter(folder);
    this.#isOver = file !== "" && now?.path === folder;
    await this.#folder?.look(file);
    if (this.#isStale && file === "") await this.#again();
  }

  async #enter(path: string): Promise<void> {
    const entries = await keepReading(() => askList(path), (problem) => this.#say(problem, true), this.#leaving.signal);
    // Somebody has gone on meanwhile.
    if (readPlace(location.hash).folder !== path) return;
    const before = this.#folder;
    if (before) this.#scrolled.set(before.path, window.scrollY);
    this.#choice.end();
    this.#say(undefined);
    this.#put(path, entries);
    window.scrollTo(0, before ? (this.#scrolled.get(path) ?? 0) : window.scrollY);
    if (before) this.#where.querySelector("h1")?.focus({ preventScroll: true });
  }

  #put(path: string, entries: Awaited<ReturnType<typeof askList>>): void {
    this.#folder?.leave();
    this.#folder = new Folder(path, entries, {
      choice: this.#choice,
      save: (address) => void this.#save(address),
      look: (name, isStep) => this.look(name, isStep),
    });
    this.#isStale = false;
    this.#showWhere(path);
    put(this.#place, this.#folder.element);
    this.#folder.begin();
  }

  /** What was brought is shown, where one is. */
  async #again(): Promise<void> {
    if (!this.info.read || this.info.type !== "folder" || !this.#folder) return;
    const { path } = this.#folder;
    this.#isStale = true;
    const entries = await keepReading(() => askList(path), () => undefined, this.#leaving.signal);
    // Whoever looks at a picture sees what came when they come back from it.
    if (this.#folder?.path !== path || readPlace(location.hash).file !== "") return;
    const [at, focused] = [window.scrollY, this.#folder.focused];
    this.#put(path, entries);
    window.scrollTo(0, at);
    if (focused !== "") this.#folder.focus(focused);
  }

  /** Looks at a picture of the folder on show; "" at the folder itself. */
  look(name: string, isStep: boolean): void {
    if (!this.#folder || readPlace(location.hash).file === name) return;
    const address = writePlace({ folder: this.#folder.path, file: name });
    if (name === "") void this.#folder.look("");
    if (name === "" && this.#isOver) return history.back();
    if (!isStep && name !== "") return void (location.hash = address);
    history.replaceState(null, "", address);
    if (name === "") void this.#goOrFail();
  }

  // ---- keeping

  /** Has the browser keep what is at an address; says why where it may not. Returns whether it does. */
  async #save(address: string): Promise<boolean> {
    try {
      await expectDownload(address);
    } catch (cause) {
      if (!(await isOver(cause))) this.#say(cause);
      return false;
    }
    this.#say(undefined);
    const link = h("a", { href: address, download: "", hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
    return true;
  }

  #say(cause: unknown, isRetried = false): void {
    this.#said.textContent = cause === undefined ? "" : describe(cause, isRetried);
    this.#notice.hidden = cause === undefined;
  }

  #showChoice(): void {
    const { isOn, paths } = this.#choice;
    // The one who has the focus keeps it.
    const hadFocus = this.#bar.contains(document.activeElement);
    this.#main.classList.toggle("isChoosing", isOn);
    this.#pick?.setAttribute("aria-pressed", String(isOn));
    this.#bar.hidden = !isOn;
    document.body.classList.toggle("isChoosing", isOn);
    if (!isOn && hadFocus) this.#pick?.focus();
    if (!isOn) return;
    const address = downloadAddress([...paths]);
    const isTooMany = address.length > ADDRESS_MAX;
    const save = h(
      "button",
      { type: "button", class: "button isMain", onclick: () => void this.#save(address).then((isKept) => isKept && this.#choice.end()) },
      icon(download),
      t("download"),
    );
    save.disabled = paths.size === 0 || isTooMany;
    const cancel = h("button", { type: "button", class: "button", onclick: () => this.#choice.end() }, t("cancel"));
    const words = isTooMany ? t("tooManyChosen") : plural("chosen", paths.size);
    put(this.#bar, h("p", { role: "status" }, words), cancel, save);
    if (hadFocus) cancel.focus();
  }
}
