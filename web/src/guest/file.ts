// A link to one file: what it is, its picture where it has one, and the way to keep it.
import download from "lucide:download";
import eye from "lucide:eye";
import { formatSize } from "../lib/state/format.ts";
import { kindOf } from "../lib/state/kind.ts";
import { readable } from "../lib/state/rawNames.ts";
import { h, icon } from "./dom.ts";
import { downloadAddress, type Info, thumbAddress } from "./link.ts";
import { iconOf } from "./list.ts";
import { showThumb } from "./thumb.ts";
import { locale, t } from "./words.ts";

/** `save` keeps what is at an address. */
export function fileCard({ name, size, label }: Info, save: (address: string) => void): HTMLElement {
  const kind = kindOf("", name);
  const [address, inline] = [downloadAddress([]), downloadAddress([], true)];
  const facts = [label ? readable(name) : "", size === undefined ? "" : formatSize(size, locale())].filter(Boolean).join(" · ");
  const isSeen = kind === "image" || kind === "video";
  const picture = h("div", { class: `${isSeen ? "one isTall" : "one"} is-${kind}` });
  if (kind === "video") picture.append(player(inline, name));
  else if (kind === "audio") picture.append(h("audio", { controls: true, preload: "metadata", src: inline, "aria-label": readable(name) }));
  else showThumb(picture, (thumb) => thumbAddress("", thumb), 1280, () => picture.append(icon(iconOf(kind), 72)));
  const isShown = ["image", "pdf", "text"].includes(kind);
  return h(
    "section",
    { class: "file", "aria-label": readable(name) },
    picture,
    h("p", { class: "facts" }, facts),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button isMain", onclick: () => save(address) }, icon(download), t("download")),
      isShown && h("a", { class: "button", href: inline, target: "_blank", rel: "noopener noreferrer" }, icon(eye), t("look")),
    ),
  );
}

function player(src: string, name: string): HTMLVideoElement {
  return h("video", { controls: true, playsinline: true, preload: "metadata", src, "aria-label": t("filmNamed", { name: readable(name) }) });
}
