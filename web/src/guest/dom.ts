// Elements without a framework. What is put into them is text or other elements, never markup.

type Value = string | number | boolean | undefined | ((event: never) => void);
export type Child = Node | string | false | undefined;
type IconNode = readonly (readonly [string, Readonly<Record<string, string>>])[];

const SVG = "http://www.w3.org/2000/svg";

/** An element with its attributes (`onclick` and its like listen) and what is in it. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Record<string, Value> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else set(element, name, value);
  }
  add(element, children);
  return element;
}

/** Sets an attribute; `undefined` and `false` take it away. */
export function set(element: Element, name: string, value: string | number | boolean | undefined): void {
  if (value === undefined || value === false) element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

function add(parent: Element, children: readonly Child[]): void {
  for (const child of children) if (child !== undefined && child !== false) parent.append(child);
}

/** Puts these in the place of all that was in an element. */
export function put(parent: Element, ...children: Child[]): void {
  parent.textContent = "";
  add(parent, children);
}

/** An icon beside words: a screen reader passes it by. */
export function icon(node: IconNode, size = 24): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const look = {
    width: size, height: size, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2,
    "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
  };
  for (const [name, value] of Object.entries(look)) set(svg, name, value);
  for (const [tag, attributes] of node) {
    const part = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) set(part, name, value);
    svg.append(part);
  }
  return svg;
}
