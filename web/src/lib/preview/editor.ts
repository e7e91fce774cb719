// CodeMirror as larder wants it: its colours from the tokens, a language by the file's name.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import {
  bracketMatching,
  defaultHighlightStyle,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  LanguageDescription,
  syntaxHighlighting,
} from "@codemirror/language";
import { languages } from "@codemirror/language-data";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { COLOURED } from "./colours.ts";

export interface EditorOptions {
  host: HTMLElement;
  name: string;
  text: string;
  /** What a screen reader calls it. */
  label: string;
  isReadOnly: boolean;
  onchange: (text: string) => void;
}

/** Colours are the page's own tokens, which reach into a shadow root, so both themes fit. */
const LOOK = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "2px solid var(--focus)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { caretColor: "var(--accent)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { background: "var(--surface)", color: "var(--text-soft)", border: "0" },
  ".cm-activeLine": { background: "color-mix(in srgb, var(--hover) 55%, transparent)" },
  ".cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground":
    { background: "color-mix(in srgb, var(--accent) 26%, transparent)" },
  ".cm-selectionMatch, .cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    background: "var(--accent-tint)",
  },
  ".cm-searchMatch": { background: "var(--accent-tint)", outline: "1px solid var(--accent)" },
  ".cm-panels": { background: "var(--page)", color: "var(--text)" },
  ".cm-panels.cm-panels-top": { borderBottom: "1px solid var(--line)" },
  ".cm-panel.cm-search": { fontFamily: "var(--font)", padding: "8px 36px 8px 12px" },
  ".cm-textfield": {
    minHeight: "32px",
    padding: "0 8px",
    border: "1px solid var(--field-edge)",
    borderRadius: "6px",
    background: "var(--surface)",
    color: "inherit",
    fontSize: "inherit",
  },
  ".cm-button": {
    minHeight: "32px",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    background: "var(--surface)",
    color: "inherit",
    fontSize: "inherit",
  },
  ".cm-foldPlaceholder": { background: "var(--hover)", border: "0", color: "var(--text-soft)" },
});

const COLOURS = HighlightStyle.define(
  // Its classes are its own.
  COLOURED.map(({ tag, color, fontStyle, fontWeight, textDecoration }) => ({
    tag,
    color,
    fontStyle,
    fontWeight,
    textDecoration,
  })),
);

export function openEditor(options: EditorOptions): EditorView {
  const { host, name, text, label, isReadOnly, onchange } = options;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const coloured = new Compartment();
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        LOOK,
        lineNumbers(),
        foldGutter(),
        highlightSpecialChars(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        syntaxHighlighting(COLOURS),
        syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorState.readOnly.of(isReadOnly),
        // Tab is the editor's; Escape, then Tab, leads out (WCAG 2.1.2), as CodeMirror has it.
        keymap.of([
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...(isReadOnly ? [] : [indentWithTab]),
        ]),
        coloured.of([]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onchange(update.state.doc.toString());
        }),
      ],
    }),
  });
  void LanguageDescription.matchFilename(languages, name)
    ?.load()
    .then((support) => view.dispatch({ effects: coloured.reconfigure(support) }))
    // Without its colours a text is still a text.
    .catch(() => undefined);
  return view;
}
