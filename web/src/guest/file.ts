// A link to one file: what it is, its picture where it has one, and the way to keep it.
import download from "lucide:download";
import eye from "lucide:eye";
import { formatSize } from "../lib/state/format.ts";
import { kindOf } from "../lib/state/kind.ts";
import { readable } from "../lib/state/rawNames.ts";
import { h, icon } from "./dom.ts";
import { downloadAddress, type Info, thumbAddress } from "./link.ts";
import { iconOf } from "./list.ts";
import { whyNot } from "./over.ts";
import { showThumb } from "./thumb.ts";
import { locale, t } from "./words.ts";

/** `save` keeps what is at an address. */
export function fileCard({ name, size }: Info, save: (address: string) => void): HTMLElement {
  const kind = kindOf("", name);
  const [address, inline] = [downloadAddress([]), downloadAddress([], true)];
  const isSeen = kind === "image" || kind === "video";
  const picture = h("div", { class: `${isSeen ? "one isTall" : "one"} is-${kind}` });
  const nothing = () => picture.append(icon(iconOf(kind), 72));
  if (kind === "video" || kind === "audio") picture.append(player(kind, inline, name));
  else if (isSeen) showThumb(picture, (thumb) => thumbAddress("", thumb), 1280, nothing);
  else nothing();
  const isShown = ["image", "pdf", "text"].includes(kind);
  return h(
    "section",
    { class: "file", "aria-label": readable(name) },
    picture,
    size !== undefined && h("p", { class: "facts" }, formatSize(size, locale())),
    h(
      "div",
      { class: "actions" },
      h("button", { type: "button", class: "button isMain", onclick: () => save(address) }, icon(download), t("download")),
      isShown && h("a", { class: "button", href: inline, target: "_blank", rel: "noopener noreferrer" }, icon(eye), t("look")),
    ),
  );
}

function player(kind: "video" | "audio", src: string, name: string): HTMLElement {
  const label = kind === "video" ? t("filmNamed", { name: readable(name) }) : readable(name);
  const element = h(kind, { controls: true, playsinline: true, preload: "metadata", src, "aria-label": label });
  element.addEventListener("error", () => {
    void whyNot(src, t("notPlayed")).then((why) => why !== undefined && element.replaceWith(h("p", { class: "nothing", role: "status" }, why)));
  });
  return element;
}
