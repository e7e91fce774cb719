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

/** The actions for what is selected at the moment they are called. */
export function selectionActions(view: View): Actions {
  return {
    open: () => {
      const [entry] = listing.selected;
      if (entry) view.open(entry);
    },
    download: () => void download(),
    rename: () => view.rename(listing.selected[0]?.name ?? ""),
    cut: () => take("move"),
    copy: () => take("copy"),
    paste,
    moveTo: () => view.ask({ what: "moveTo", paths: selectedPaths() }),
    copyTo: () => view.ask({ what: "copyTo", paths: selectedPaths() }),
    remove: () => view.ask({ what: "delete", entries: listing.selected }),
    copyAddress: () => void copyAddress(),
    details: () => view.ask({ what: "details", entries: listing.selected }),
    newFolder: () => view.ask({ what: "folder" }),
    newFile: () => view.ask({ what: "file" }),
  };
}

function selectedPaths(): string[] {
  return listing.selected.map((entry) => joinPath(listing.shownPath, entry.name));
}

async function download(): Promise<void> {
  const paths = selectedPaths();
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

async function copyAddress(): Promise<void> {
  const [entry] = listing.selected;
  if (!entry) return;
  const address = entryAddress(listing.shownPath, entry);
  const isCopied = await copyText(new URL(address, location.origin).href);
  if (isCopied) toasts.say(t("files.addressCopied"));
  else toasts.complain(t("problem.fault"));
}

function take(kind: "move" | "copy"): void {
  clipboard.take(kind, selectedPaths());
  toasts.say(t(kind === "move" ? "clipboard.cut" : "clipboard.copied"));
}

function paste(): void {
  const { kind, paths } = clipboard;
  if (kind === "move") clipboard.clear();
  void transferAll(kind, paths, listing.shownPath);
}
