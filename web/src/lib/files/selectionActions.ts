// What is done with the entries that are selected in the folder on show.
import { ticketFor } from "../api/files.ts";
import type { Entry } from "../api/types.ts";
import { downloadAddress } from "../state/address.ts";
import { clipboard } from "../state/clipboard.svelte.ts";
import { listing } from "../state/listing.svelte.ts";
import { complain, transferAll } from "../state/operations.svelte.ts";
import { joinPath } from "../state/paths.ts";
import { t } from "../state/texts.svelte.ts";
import { toasts } from "../state/toasts.svelte.ts";
import { drives, mayConnect } from "../drive/drives.svelte.ts";
import { mayShare, sharing, thingOf } from "../share/sharing.svelte.ts";
import { copyText } from "../ui/copy.ts";
import type { Actions } from "./actions.ts";
import type { Asking } from "./asking.ts";
import { entryAddress } from "./opening.ts";

/** What the view does for the actions. */
export interface View {
  open: (entry: Entry) => void;
  /** Lets the reader change a name where it stands. */
  rename: (name: string) => void;
  ask: (asking: Asking) => void;
}

/** What is selected somewhere, at the moment of asking. */
export interface Chosen {
  entries: () => readonly Entry[];
  /** The folder that their names are told from. */
  folder: () => string;
  /** What goes with an entry wherever that goes, by its path. */
  besides?: (path: string) => readonly string[];
}

/** What is selected in the folder on show. */
const inFolder: Chosen = { entries: () => listing.selected, folder: () => listing.shownPath };

/** The actions for what is selected at the moment they are called. */
export function selectionActions(view: View, chosen: Chosen = inFolder): Actions {
  const pathOf = (entry: Entry) => joinPath(chosen.folder(), entry.name);
  const pathsNow = () => {
    const paths = chosen.entries().map(pathOf);
    const { besides } = chosen;
    return besides ? paths.flatMap((path) => [path, ...besides(path)]) : paths;
  };
  return {
    open: () => {
      const [entry] = chosen.entries();
      if (entry) view.open(entry);
    },
    download: () => void download(pathsNow()),
    share: () => share(chosen, pathOf),
    mayShare: () => mayShare(chosen.entries(), pathOf),
    rename: () => view.rename(chosen.entries()[0]?.name ?? ""),
    cut: () => take("move", pathsNow()),
    copy: () => take("copy", pathsNow()),
    paste,
    moveTo: () => view.ask({ what: "moveTo", paths: pathsNow() }),
    copyTo: () => view.ask({ what: "copyTo", paths: pathsNow() }),
    remove: () => view.ask({ what: "delete", entries: chosen.entries() }),
    copyAddress: () => void copyAddress(chosen),
    connect: () => drives.connect(pathsNow()[0] ?? ""),
    mayConnect: () => mayConnect(pathsNow()[0] ?? ""),
    details: () => view.ask({ what: "details", entries: chosen.entries() }),
    newFolder: () => view.ask({ what: "folder" }),
    newFile: () => view.ask({ what: "file" }),
  };
}

function share(chosen: Chosen, pathOf: (entry: Entry) => string): void {
  const things = chosen.entries().map((entry) => thingOf(entry, pathOf(entry)));
  // A link to one photo is one to that file alone; among copies its film is with it.
  const besides = things.length > 1 ? things.flatMap(({ path }) => chosen.besides?.(path) ?? []) : [];
  sharing.share(things, besides);
}

async function download(paths: readonly string[]): Promise<void> {
  const [one] = paths;
  if (one === undefined) return;
  try {
    const link = document.createElement("a");
    link.href = paths.length === 1 ? downloadAddress(one) : await ticketFor(paths);
    link.download = "";
    link.click();
  } catch (cause) {
    complain(cause);
  }
}

async function copyAddress(chosen: Chosen): Promise<void> {
  const [entry] = chosen.entries();
  if (!entry) return;
  const address = entryAddress(chosen.folder(), entry);
  const isCopied = await copyText(new URL(address, location.origin).href);
  if (isCopied) toasts.say(t("files.addressCopied"));
  else toasts.complain(t("problem.fault"));
}

function take(kind: "move" | "copy", paths: string[]): void {
  clipboard.take(kind, paths);
  toasts.say(t(kind === "move" ? "clipboard.cut" : "clipboard.copied"));
}

function paste(): void {
  const { kind, paths } = clipboard;
  if (kind === "move") clipboard.clear();
  void transferAll(kind, paths, listing.shownPath);
}
