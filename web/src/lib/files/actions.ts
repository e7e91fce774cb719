// Which actions there are for what is selected, and for the folder itself.
import ClipboardPaste from "@lucide/svelte/icons/clipboard-paste";
import Copy from "@lucide/svelte/icons/copy";
import Download from "@lucide/svelte/icons/download";
import Eye from "@lucide/svelte/icons/eye";
import FilePlus from "@lucide/svelte/icons/file-plus";
import FolderInput from "@lucide/svelte/icons/folder-input";
import FolderOpen from "@lucide/svelte/icons/folder-open";
import FolderPlus from "@lucide/svelte/icons/folder-plus";
import Files from "@lucide/svelte/icons/files";
import HardDrive from "@lucide/svelte/icons/hard-drive";
import Info from "@lucide/svelte/icons/info";
import Link from "@lucide/svelte/icons/link";
import Pencil from "@lucide/svelte/icons/pencil";
import Scissors from "@lucide/svelte/icons/scissors";
import Share2 from "@lucide/svelte/icons/share-2";
import Trash from "@lucide/svelte/icons/trash-2";
import type { Endpoint } from "../api/call.ts";
import type { Entry } from "../api/types.ts";
import { clipboard } from "../state/clipboard.svelte.ts";
import { session } from "../state/session.svelte.ts";
import { t } from "../state/texts.svelte.ts";
import type { MenuItem } from "../ui/PopupMenu.svelte";

/** What the view can do; the menu only decides what of it is offered. */
export interface Actions {
  open: () => void;
  download: () => void;
  share: () => void;
  /** Whether they may be shared, which their paths say. */
  mayShare: () => boolean;
  rename: () => void;
  cut: () => void;
  copy: () => void;
  paste: () => void;
  moveTo: () => void;
  copyTo: () => void;
  remove: () => void;
  copyAddress: () => void;
  connect: () => void;
  /** Whether the one folder may be had as a drive. */
  mayConnect: () => boolean;
  details: () => void;
  newFolder: () => void;
  newFile: () => void;
}

/** What may be done with these entries, by role and by the entries' own rules. */
export function permitted(entries: readonly Entry[]) {
  const isAny = entries.length > 0;
  const areWritable = entries.every((entry) => entry.writable);
  // Asked once for each type, not for each of fifty thousand.
  const types = new Set(entries.map((entry) => entry.type));
  const mayEach = (file: Endpoint, folder: Endpoint) =>
    [...types].every((type) => session.may(type === "folder" ? folder : file));
  return {
    download: isAny && session.may("/api/download") && !types.has("other"),
    rename:
      entries.length === 1 && areWritable && mayEach("/api/rename_file", "/api/rename_folder"),
    remove: isAny && areWritable && mayEach("/api/delete_file", "/api/delete_folder"),
    move: isAny && areWritable && session.may("/api/move"),
    copy: isAny && session.mayWriteSomewhere() && session.may("/api/copy"),
  };
}

export function entryItems(entries: readonly Entry[], actions: Actions): MenuItem[] {
  const may = permitted(entries);
  const items: MenuItem[] = [];
  const [first] = entries;
  if (entries.length === 1 && first) {
    const isFolder = first.type === "folder";
    if (isFolder || may.download) {
      const icon = isFolder ? FolderOpen : Eye;
      items.push({ label: t("files.open"), icon, keys: "↵", onpick: actions.open });
    }
  }
  if (may.download) {
    items.push({ label: t("files.download"), icon: Download, onpick: actions.download });
  }
  if (actions.mayShare()) items.push({ label: t("share.share"), icon: Share2, onpick: actions.share });
  if (may.rename) {
    const onpick = actions.rename;
    items.push({ label: t("files.rename"), icon: Pencil, keys: "F2", isApart: true, onpick });
  }
  if (may.copy) {
    const onpick = actions.copy;
    items.push({ label: t("app.copy"), icon: Copy, keys: t("keys.ctrlC"), isApart: true, onpick });
  }
  if (may.move) {
    items.push({ label: t("files.cut"), icon: Scissors, keys: t("keys.ctrlX"), onpick: actions.cut });
  }
  if (may.copy) items.push({ label: t("files.copyTo"), icon: Files, onpick: actions.copyTo });
  if (may.move) items.push({ label: t("files.moveTo"), icon: FolderInput, onpick: actions.moveTo });
  const hasAddress = entries.length === 1 && (first?.type === "folder" || (may.download && first?.type === "file"));
  if (hasAddress) {
    items.push({ label: t("files.copyAddress"), icon: Link, isApart: true, onpick: actions.copyAddress });
  }
  if (first?.type === "folder" && entries.length === 1 && actions.mayConnect()) {
    items.push({ label: t("drive.title"), icon: HardDrive, onpick: actions.connect });
  }
  items.push({ label: t("files.details"), icon: Info, isApart: !hasAddress, onpick: actions.details });
  if (may.remove) {
    const keys = t("keys.delete");
    items.push({ label: t("files.delete"), icon: Trash, keys, isDanger: true, onpick: actions.remove });
  }
  return items;
}

/** For the folder on show; `isWritable` where one may put things into it. */
export function folderItems(isWritable: boolean, actions: Actions): MenuItem[] {
  const items: MenuItem[] = [];
  if (isWritable && session.may("/api/create_folder")) {
    items.push({ label: t("files.newFolder"), icon: FolderPlus, onpick: actions.newFolder });
  }
  if (isWritable && session.may("/api/new_file")) {
    items.push({ label: t("files.newFile"), icon: FilePlus, onpick: actions.newFile });
  }
  if (isWritable && !clipboard.isEmpty) {
    const keys = t("keys.ctrlV");
    items.push({ label: t("files.paste"), icon: ClipboardPaste, keys, isApart: items.length > 0, onpick: actions.paste });
  }
  return items;
}
