// Subtitles that lie beside a film: which they are, and SubRip's form as WebVTT, which is all that browsers
// read. Only strings and bytes; knows no server.
import { nameOf, stemLength } from "../state/paths.ts";

/** Larger files are no subtitles (bytes). */
export const SUBTITLE_BYTES_MAX = 2_000_000;
/** More cues than the longest film has. */
const CUES_MAX = 20_000;
/** More tracks than anybody chooses from. */
const TRACKS_MAX = 12;

/** `00:01:02,345 --> 00:01:04,000` in all the ways it is written; what comes behind is position. */
const TIMES = /^\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})/;

/** A file of subtitles beside a film. */
export interface Subtitle {
  path: string;
  /** What its name says beyond the film's: `de`, `en.forced`; "" where nothing. */
  label: string;
  /** A language's code, where the label is one. */
  language: string;
}

/** The subtitles of a film among the files beside it (paths), by name: `Film.srt`, `Film.de.vtt`. */
export function subtitlesOf(film: string, beside: readonly string[]): Subtitle[] {
  const stem = stemOf(nameOf(film)).toLowerCase();
  return beside
    .flatMap((path) => {
      const name = nameOf(path);
      if (!/\.(srt|vtt)$/i.test(name)) return [];
      const own = stemOf(name);
      if (own.toLowerCase() === stem) return [{ path, label: "", language: "" }];
      if (!own.toLowerCase().startsWith(`${stem}.`)) return [];
      const label = own.slice(stem.length + 1);
      const language = /^[a-z]{2,3}(-[a-z0-9]{2,8})*/i.exec(label)?.[0] ?? "";
      return [{ path, label, language }];
    })
    .slice(0, TRACKS_MAX);
}

/** The text of a file of subtitles: UTF-8 or UTF-16 by its mark, else what western Windows wrote. */
export function textOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

/** Subtitles as WebVTT, whichever of the two they are. */
export function toVtt(text: string): string {
  const plain = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  return /^WEBVTT(\s|$)/.test(plain) ? plain : srtToVtt(plain);
}

/** SubRip as WebVTT: times with a point, tags that WebVTT does not have taken out, nothing else. */
function srtToVtt(text: string): string {
  const cues: string[] = [];
  const lines = text.split("\n");
  for (let at = 0; at < lines.length && cues.length < CUES_MAX; at += 1) {
    const times = TIMES.exec(lines[at] ?? "");
    if (!times) continue;
    const words: string[] = [];
    // A cue ends with an empty line, or with the times of the next where somebody left that out.
    while (at + 1 < lines.length && lines[at + 1]?.trim() !== "" && !TIMES.test(lines[at + 1] ?? "")) {
      at += 1;
      words.push(cleaned(lines[at] ?? ""));
    }
    const isNextTimes = TIMES.test(lines[at + 1] ?? "");
    // The number of the next cue is none of its words.
    if (isNextTimes && /^\d+$/.test(words.at(-1)?.trim() ?? "")) words.pop();
    if (words.length > 0) cues.push(`${timeOf(times, 1)} --> ${timeOf(times, 5)}\n${words.join("\n")}`);
  }
  return `WEBVTT\n\n${cues.join("\n\n")}\n`;
}

/** A line with the tags that both know; an arrow would be read as times. */
function cleaned(line: string): string {
  return line
    .replace(/\{\\[^}]{0,60}\}/g, "")
    .replace(/<(?!\/?[biu]>)[^<>]{0,200}>/gi, "")
    .replace(/<(\/?)([biu])>/gi, (_, end: string, tag: string) => `<${end}${tag.toLowerCase()}>`)
    .replaceAll("-->", "→");
}

function timeOf(times: RegExpExecArray, from: number): string {
  const [hours = "0", minutes = "0", seconds = "0", rest = "0"] = [0, 1, 2, 3].map((step) => times[from + step] ?? "0");
  const two = (value: string) => value.padStart(2, "0");
  return `${two(hours)}:${two(minutes)}:${two(seconds)}.${rest.padEnd(3, "0")}`;
}

function stemOf(name: string): string {
  return name.slice(0, stemLength(name));
}
