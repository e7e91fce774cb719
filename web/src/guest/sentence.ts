// A page that says one sentence and nothing else: what is closed, unknown or away.
import broken from "lucide:link-2-off";
import cloud from "lucide:cloud-off";
import glass from "lucide:hourglass";
import drive from "lucide:hard-drive";
import { Problem } from "../lib/api/problem.ts";
import { h, icon, put } from "./dom.ts";
import { t } from "./words.ts";

/** Says why there is nothing to see. */
export function showSentence(place: HTMLElement, cause: unknown): void {
  const [node, title, text] = sentenceOf(cause);
  const words = h("div", { role: "status" }, h("h1", {}, title), h("p", {}, text));
  put(place, h("main", { class: "sentence" }, icon(node, 56), words));
}

function sentenceOf(cause: unknown): [typeof glass, string, string] {
  const kind = cause instanceof Problem ? cause.kind : "fault";
  switch (kind) {
    case "missing": return [broken, t("unknown"), t("unknownMore")];
    case "gone": return [glass, t("closed"), t("closedMore")];
    case "storageAbsent": return [drive, t("driveAway"), t("byItself")];
    case "tooSoon": return [glass, t("tooMany"), t("byItself")];
    case "away":
    case "driveBusy": return [cloud, t("away"), t("byItself")];
    default: return [cloud, t("isFault"), t("reload")];
  }
}
