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
  hooks.signInAgain = passwordAsker(gate, shell);
  try {
    const info = await learn(gate);
    put(gate);
    await new Page(shell, info).begin();
  } catch (cause) {
    put(shell);
    showSentence(gate, cause);
  }
}

/** What asks for the password whenever it is missing; all that is asked meanwhile waits and goes on. */
function passwordAsker(gate: HTMLElement, shell: HTMLElement): () => Promise<void> {
  let asking: Promise<void> | undefined;
  return () => {
    shell.hidden = true;
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
  #notice = h("p", { class: "notice", role: "alert", hidden: true });
  #bar = h("div", { class: "chosen", role: "region", "aria-label": t("choose"), hidden: true });
  #folder: Folder | undefined;
  #bring: Bring | undefined;
  /** How far each folder was scrolled when it was left. */
  #scrolled = new Map<string, number>();
  /** The viewer was opened from the page, so that Back closes it. */
  #isOver = false;

  constructor(
    readonly shell: HTMLElement,
    readonly info: Info,
  ) {
    // An album takes the width there is; anything else stands in the middle.
    const isAlbum = info.read && info.type === "folder";
    this.#main = h("main", { class: isAlbum ? "page" : "page isNarrow" });
  }

  get #title(): string {
    return this.info.label || readable(this.info.name);
  }

  async begin(): Promise<void> {
    const { info } = this;
    // With bringing alone, larder may not even tell what the folder is called.
    document.title = this.#title || t("title");
    put(this.#main, this.#head(), this.#notice, this.#bringing, this.#place);
    put(this.shell, this.#main, this.#bar);
    if (!info.read) return void (await this.#showBring());
    if (info.type === "file") return put(this.#place, fileCard(info, (address) => void this.#save(address)));
    this.#choice.onChange(() => this.#showChoice());
    window.addEventListener("hashchange", () => void this.#go().catch((cause) => this.#fail(cause)));
    await this.#go().catch((cause) => this.#fail(cause));
    await line.untilIdle();
    await loadViewer();
    // What is dropped on the page is taken from now on.
    if (info.write) await this.#loadBring();
  }

  /** A place that could not be shown. */
  #fail(cause: unknown): void {
    const kind = cause instanceof Problem ? cause.kind : "fault";
    if (kind === "missing" && readPlace(location.hash).folder !== "") {
      // Somebody took the folder away: the first one is there.
      location.replace(writePlace({ folder: "", file: "" }));
    } else if (kind === "missing" || kind === "gone") {
      showSentence(this.shell, cause);
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
    const { expires } = this.info;
    if (path === "") {
      const until = expires ? t("until", { day: formatDay(expires, locale()) }) : "";
      const title = h("h1", { tabindex: -1 }, this.#title || t("titleBring"));
      return put(this.#where, title, until !== "" && h("p", { class: "facts" }, until));
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
    return h(
      "div",
      { class: "actions" },
      info.write && button(t("addYours"), plus, true, () => void this.#showBring()),
      button(t("downloadAll"), download, !info.write, () => void this.#save(downloadAddress([this.#folder?.path ?? ""]))),
      button(t("choose"), pick, false, () => (this.#choice.isOn ? this.#choice.end() : this.#choice.begin())),
    );
  }

  async #loadBring(): Promise<Bring> {
    const { Bring } = await loadBring();
    if (this.#bring) return this.#bring;
    this.#bring = new Bring({ folder: () => this.#folder?.path ?? "", onbrought: () => void this.#again() });
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
  }

  async #enter(path: string): Promise<void> {
    const entries = await keepReading(() => askList(path), (problem) => this.#say(problem), never);
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
      look: (name, isStep) => this.#look(name, isStep),
    });
    this.#showWhere(path);
    put(this.#place, this.#folder.element);
    this.#folder.begin();
  }

  /** What was brought is shown, where one is. */
  async #again(): Promise<void> {
    if (!this.info.read || this.info.type !== "folder" || !this.#folder) return;
    const { path } = this.#folder;
    const entries = await keepReading(() => askList(path), () => undefined, never);
    if (this.#folder.path !== path || readPlace(location.hash).file !== "") return;
    const at = window.scrollY;
    this.#put(path, entries);
    window.scrollTo(0, at);
  }

  #look(name: string, isStep: boolean): void {
    const address = writePlace({ folder: this.#folder?.path ?? "", file: name });
    if (name === "" && this.#isOver) return history.back();
    if (!isStep && name !== "") return void (location.hash = address);
    history.replaceState(null, "", address);
    if (name === "") void this.#go();
  }

  // ---- keeping

  /** Has the browser keep what is at an address; says why where it may not. */
  async #save(address: string): Promise<void> {
    try {
      await expectDownload(address);
    } catch (cause) {
      return this.#say(cause);
    }
    this.#say(undefined);
    const link = h("a", { href: address, download: "", hidden: true });
    document.body.append(link);
    link.click();
    link.remove();
  }

  #say(cause: unknown): void {
    this.#notice.textContent = cause === undefined ? "" : describe(cause);
    this.#notice.hidden = cause === undefined;
  }

  #showChoice(): void {
    const { isOn, paths } = this.#choice;
    this.#main.classList.toggle("isChoosing", isOn);
    this.#bar.hidden = !isOn;
    document.body.classList.toggle("isChoosing", isOn);
    if (!isOn) return;
    const address = downloadAddress([...paths]);
    const isTooMany = address.length > ADDRESS_MAX;
    const save = h(
      "button",
      { type: "button", class: "button isMain", onclick: () => void this.#save(address).then(() => this.#choice.end()) },
      icon(download),
      t("download"),
    );
    save.disabled = paths.size === 0 || isTooMany;
    const cancel = h("button", { type: "button", class: "button", onclick: () => this.#choice.end() }, t("cancel"));
    const words = isTooMany ? t("tooManyChosen") : plural("chosen", paths.size);
    // The one who has the focus keeps it.
    const hadFocus = this.#bar.contains(document.activeElement);
    put(this.#bar, h("p", { role: "status" }, words), cancel, save);
    if (hadFocus) cancel.focus();
  }
}
