import { describe, expect, it } from "vitest";
import { subtitlesOf, textOf, toVtt } from "./subtitles.ts";

describe("subtitles beside a film", () => {
  it("are those of its name, with the language they say", () => {
    const beside = ["a/Film.srt", "a/film.de.VTT", "a/Film.pt-BR.forced.srt", "a/Film 2.srt", "a/Film.mp4", "a/Filmed.srt"];
    expect(subtitlesOf("a/Film.mp4", beside)).toEqual([
      { path: "a/Film.srt", label: "", language: "" },
      { path: "a/film.de.VTT", label: "de", language: "de" },
      { path: "a/Film.pt-BR.forced.srt", label: "pt-BR.forced", language: "pt-BR" },
    ]);
    expect(subtitlesOf("a.mp4", Array.from({ length: 50 }, (_, at) => `a.${at}.srt`))).toHaveLength(12);
  });

  it("are read in the writing they are in", () => {
    expect(textOf(new Uint8Array([0x47, 0x72, 0xc3, 0xbc, 0xc3, 0x9f]))).toBe("Grüß");
    expect(textOf(new Uint8Array([0x47, 0x72, 0xfc, 0xdf]))).toBe("Grüß");
    expect(textOf(new Uint8Array([0xff, 0xfe, 0x47, 0x00]))).toBe("G");
    expect(textOf(new Uint8Array([0xfe, 0xff, 0x00, 0x47]))).toBe("G");
  });
});

describe("SubRip", () => {
  it("becomes WebVTT", () => {
    const srt = "\uFEFF1\r\n00:00:01,000 --> 00:00:02,500\r\n<i>Hello</i>\r\nyou\r\n\r\n2\r\n0:03,5 --> 0:04,25\r\nthere\r\n";
    expect(toVtt(srt)).toBe(
      "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n<i>Hello</i>\nyou\n\n00:0:03.500 --> 00:0:04.250\nthere\n".replaceAll(":0:", ":00:"),
    );
  });

  it("is forgiven missing lines, and keeps no tags of its own", () => {
    const srt = "1\n00:00:01,000 --> 00:00:02,000\n<font color=\"red\">a</font> {\\an8}b --> c\n2\n00:00:03,000 --> 00:00:04,000\nd";
    expect(toVtt(srt)).toBe("WEBVTT\n\n00:00:01.000 --> 00:00:02.000\na b → c\n\n00:00:03.000 --> 00:00:04.000\nd\n");
  });

  it("does no harm when it is none", () => {
    expect(toVtt("")).toBe("WEBVTT\n\n\n");
    expect(toVtt("\0".repeat(1000))).toBe("WEBVTT\n\n\n");
    expect(toVtt("--> --> 00:00:01,000 -->")).toBe("WEBVTT\n\n\n");
    const many = "00:00:01,000 --> 00:00:02,000\na\n\n".repeat(30_000);
    expect(toVtt(many).split("-->")).toHaveLength(20_001);
    // Nothing that takes longer than it is long.
    expect(toVtt(`00:00:01,000 --> 00:00:02,000\n${"<".repeat(100_000)}`)).toContain("<");
  });

  it("leaves what is WebVTT already", () => {
    expect(toVtt("WEBVTT\r\n\r\n00:01.000 --> 00:02.000\r\na")).toBe("WEBVTT\n\n00:01.000 --> 00:02.000\na");
  });
});
