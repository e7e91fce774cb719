import { expect, it } from "vitest";
import { kindOf } from "./kind.ts";

it.each([
  ["image/svg+xml", "a.svg", "image"],
  ["video/mp4", "a.mp4", "video"],
  ["video/vnd.dlna.mpeg-tts", "a.ts", "text"],
  ["audio/mpeg", "a.mp3", "audio"],
  ["application/pdf", "a.pdf", "pdf"],
  ["text/html; charset=utf-8", "a.html", "text"],
  ["application/ld+json", "a.jsonld", "text"],
  ["application/octet-stream", "Main.java", "text"],
  ["application/octet-stream", "a", "other"],
  ["APPLICATION/ZIP", "a.zip", "archive"],
  ["application/vnd.openxmlformats-officedocument.wordprocessingml.document", "a.docx", "document"],
  ["text/rtf", "a.rtf", "document"],
  ["application/vnd.oasis.opendocument.spreadsheet", "a.ods", "spreadsheet"],
  ["application/vnd.ms-powerpoint", "a.ppt", "presentation"],
  ["", "", "other"],
  ["", "a.JPG", "image"],
  ["", "a.mkv", "video"],
  ["", "a.docx", "document"],
  ["application/octet-stream", "a.jpg", "other"],
])("%s named %s is %s", (mime, name, kind) => {
  expect(kindOf(mime, name)).toBe(kind);
});
