// What in a program has a colour of its own: for the editor and for code in Markdown alike.
import { tags, type Tag } from "@lezer/highlight";

interface Coloured {
  tag: readonly Tag[];
  /** The class in markup. */
  class: string;
  /** The colour of the tokens, none: that of the text. */
  color?: string;
  fontStyle?: "italic";
  fontWeight?: "600";
  textDecoration?: "underline";
}

export const COLOURED: readonly Coloured[] = [
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], class: "keyword", color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], class: "string", color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: "number", color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta], class: "comment", color: "var(--text-soft)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], class: "type", color: "var(--code-type)" },
  {
    tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.labelName],
    class: "function",
    color: "var(--code-function)",
  },
  { tag: [tags.propertyName, tags.attributeName], class: "property", color: "var(--code-property)" },
  { tag: [tags.heading], class: "heading", fontWeight: "600", color: "var(--code-keyword)" },
  { tag: [tags.strong], class: "strong", fontWeight: "600" },
  { tag: [tags.emphasis], class: "emphasis", fontStyle: "italic" },
  { tag: [tags.link], class: "link", color: "var(--accent)", textDecoration: "underline" },
  { tag: [tags.invalid], class: "invalid", color: "var(--danger)" },
];
