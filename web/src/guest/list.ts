// Folders and files that are no pictures: big rows.
import archive from "lucide:file-archive";
import chevron from "lucide:chevron-right";
import download from "lucide:download";
import file from "lucide:file";
import folder from "lucide:folder";
import music from "lucide:music";
import text from "lucide:file-text";
import type { Entry } from "../lib/api/types.ts";
import { formatDay, formatSize } from "../lib/state/format.ts";
import { isPlainClick } from "../lib/state/keys.ts";
import { type Kind, kindOf } from "../lib/state/kind.ts";
import { readable } from "../lib/state/rawNames.ts";
import type { Choice } from "./choice.ts";
import { showChosen, tick, ticked } from "./choosable.ts";
import { h, icon } from "./dom.ts";
import { downloadAddress } from "./link.ts";
import { locale, t } from "./words.ts";

const ICONS: Partial<Record<Kind, typeof file>> = {
  folder, audio: music, archive, pdf: text, text, document: text, spreadsheet: text, presentation: text,
};
/** What browsers show by themselves. */
const SHOWN: readonly Kind[] = ["pdf", "text", "audio"];

export const kindOfEntry = (entry: Entry): Kind => (entry.type === "folder" ? "folder" : kindOf(entry.mime, entry.name));

export const iconOf = (kind: Kind) => ICONS[kind] ?? file;

export interface ListActions {
  /** Where a folder is on this page. */
  hrefOf: (path: string) => string;
  /** Keeps a file. */
  save: (address: string) => void;
  choice: Choice;
}

/** A row for each, under a title with an `id` of its own; `pathOf` tells where it is, relative to the link. */
export function listOf(
  id: string,
  title: string,
  entries: readonly Entry[],
  pathOf: (entry: Entry) => string,
  actions: ListActions,
): { element: HTMLElement; leave: () => void } {
  const rows = entries.map((entry) => rowOf(entry, pathOf(entry), actions));
  const element = h(
    "section",
    { class: "files" },
    h("h2", { id }, title),
    h("ul", { role: "list", "aria-labelledby": id }, ...rows.map(({ row }) => row)),
  );
  const show = () => {
    for (const { link, path } of rows) showChosen(link, path, actions.choice);
  };
  show();
  return { element, leave: actions.choice.onChange(show) };
}

function rowOf(entry: Entry, path: string, { hrefOf, save, choice }: ListActions) {
  const kind = kindOfEntry(entry);
  const [isFolder, isShown] = [kind === "folder", SHOWN.includes(kind)];
  const [name, address] = [readable(entry.name), downloadAddress([path])];
  const day = formatDay(entry.modified, locale());
  const facts = isFolder ? day : `${formatSize(entry.size, locale())} · ${day}`;
  const href = isFolder ? hrefOf(path) : isShown ? downloadAddress([path], true) : address;
  const link = h(
    "a",
    {
      class: `row is-${kind}`,
      href,
      // What is shown by the browser gets a page of its own: this one stays as it is.
      target: isShown && "_blank",
      rel: isShown && "noopener noreferrer",
      onclick: (event: MouseEvent) => {
        if (ticked(event, path, choice) || isFolder || isShown || !isPlainClick(event)) return;
        event.preventDefault();
        save(address);
      },
      onkeydown: (event: KeyboardEvent) => ticked(event, path, choice),
    },
    h("span", { class: "kind" }, icon(iconOf(kind), 28)),
    h("span", { class: "about" }, h("span", { class: "name" }, name), h("span", { class: "facts" }, facts)),
    isFolder && h("span", { class: "on" }, icon(chevron)),
    tick(),
  );
  const button =
    !isFolder &&
    h(
      "button",
      { type: "button", class: "get", "aria-label": t("downloadNamed", { name }), onclick: () => save(address) },
      icon(download),
    );
  return { row: h("li", {}, link, button), link, path };
}
