// The icon of each kind of file.
import File from "@lucide/svelte/icons/file";
import FileArchive from "@lucide/svelte/icons/file-archive";
import FileSpreadsheet from "@lucide/svelte/icons/file-spreadsheet";
import FileText from "@lucide/svelte/icons/file-text";
import FileType from "@lucide/svelte/icons/file-type";
import Film from "@lucide/svelte/icons/film";
import Folder from "@lucide/svelte/icons/folder";
import Image from "@lucide/svelte/icons/image";
import Music from "@lucide/svelte/icons/music";
import Presentation from "@lucide/svelte/icons/presentation";
import type { Kind } from "../state/kind.ts";

export const ICONS: Record<Kind, typeof File> = {
  folder: Folder,
  image: Image,
  video: Film,
  audio: Music,
  pdf: FileText,
  text: FileText,
  archive: FileArchive,
  document: FileType,
  spreadsheet: FileSpreadsheet,
  presentation: Presentation,
  other: File,
};
