// Colours blocks of code in a page, by the languages of the editor. Makes text and elements, no markup.
import { LanguageDescription } from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import { highlightCode, tagHighlighter } from "@lezer/highlight";
import { COLOURED } from "./colours.ts";

/** Longer code stays plain (characters): it is parsed at once. */
const LENGTH_MAX = 100_000;

const HIGHLIGHTER = tagHighlighter(COLOURED.map((one) => ({ tag: one.tag, class: `code-${one.class}` })));

/** Colours what is written in a language, named as in Markdown; leaves alone what nobody knows. */
export async function colour(code: Element, language: string): Promise<void> {
  const text = code.textContent;
  const found = LanguageDescription.matchLanguageName(languages, language, true);
  if (!found || text.length > LENGTH_MAX) return;
  const { parser } = (await found.load()).language;
  const parts: (string | Element)[] = [];
  highlightCode(
    text,
    parser.parse(text),
    HIGHLIGHTER,
    (piece, classes) => {
      if (classes === "") return void parts.push(piece);
      const span = document.createElement("span");
      span.className = classes;
      span.textContent = piece;
      parts.push(span);
    },
    () => parts.push("\n"),
  );
  code.replaceChildren(...parts);
}
