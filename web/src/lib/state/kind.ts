// What a file is to a reader: how it is drawn in a list and shown by the preview. Knows no page.

export type Kind =
  | "folder" | "image" | "video" | "audio" | "pdf" | "text" | "archive"
  | "document" | "spreadsheet" | "presentation" | "other";

/** Media types that are text though their name does not begin with `text/`. */
const TEXT_TYPES =
  /^application\/(json|xml|javascript|ecmascript|toml|yaml|x-yaml|x-sh|x-httpd-php|sql|.*\+(json|xml))$/;
const ARCHIVE_TYPES =
  /^application\/(zip|gzip|x-gzip|x-tar|x-7z-compressed|x-bzip2?|x-xz|zstd|vnd\.rar|x-rar-compressed|java-archive)$/;
/** What offices write: Microsoft's (old and ECMA-376), OpenDocument (ISO 26300) and Apple's; and books. */
const OFFICE_TYPES: readonly [RegExp, Kind][] = [
  [/(opendocument\.text|wordprocessingml|\/(msword|rtf|epub\+zip|vnd\.apple\.pages))/, "document"],
  [/(opendocument\.spreadsheet|spreadsheetml|\/vnd\.(ms-excel|apple\.numbers))/, "spreadsheet"],
  [/(opendocument\.presentation|presentationml|\/vnd\.(ms-powerpoint|apple\.keynote))/, "presentation"],
];
/** Endings of text files that have no media type of their own. */
const TEXT_ENDINGS =
  /\.(c|cc|cfg|conf|cpp|css|csv|env|gitignore|go|h|hpp|ini|java|js|json|jsx|kt|log|lua|md|mk|mjs|nix|php|pl|properties|py|rb|rs|scss|sh|sql|svelte|swift|toml|ts|tsx|txt|vue|yaml|yml)$/i;

/** Endings of what is no text, for where the server names no media type. */
const ENDINGS: readonly [RegExp, Kind][] = [
  [/\.(avif|bmp|gif|heic|heif|ico|jpe?g|png|svg|tiff?|webp)$/i, "image"],
  [/\.(3gp|avi|m4v|mkv|mov|mp4|mpe?g|ogv|webm|wmv)$/i, "video"],
  [/\.(aac|aiff?|flac|m4a|mid|mp3|oga|ogg|opus|wav|wma)$/i, "audio"],
  [/\.pdf$/i, "pdf"],
  [/\.(7z|bz2|gz|rar|tar|tgz|xz|zip|zst)$/i, "archive"],
  [/\.(docx?|epub|odt|pages|rtf)$/i, "document"],
  [/\.(numbers|ods|xlsx?)$/i, "spreadsheet"],
  [/\.(key|odp|pptx?)$/i, "presentation"],
  [/\.html?$/i, "text"],
];

/** The kind of a file by its media type and, where that says nothing, its name. */
export function kindOf(mime: string, name: string): Kind {
  const type = (mime.split(";")[0] ?? "").trim().toLowerCase();
  // By name first: `.ts` is a film to the registry of media types, and a program to its owner.
  if (TEXT_ENDINGS.test(name)) return "text";
  if (type === "") return ENDINGS.find(([ending]) => ending.test(name))?.[1] ?? "other";
  if (type.startsWith("image/")) return "image";
  if (type.startsWith("video/")) return "video";
  if (type.startsWith("audio/")) return "audio";
  if (type === "application/pdf") return "pdf";
  // `text/rtf` is no text to read.
  const office = OFFICE_TYPES.find(([types]) => types.test(type));
  if (office) return office[1];
  if (type.startsWith("text/") || TEXT_TYPES.test(type)) return "text";
  if (ARCHIVE_TYPES.test(type)) return "archive";
  return "other";
}
