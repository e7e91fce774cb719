// Asks for the link's password.
import lock from "lucide:lock-keyhole";
import { Problem } from "../lib/api/problem.ts";
import { h, icon, put } from "./dom.ts";
import { open } from "./link.ts";
import { isOver } from "./over.ts";
import { describe, plural, t } from "./words.ts";

/** Resolves once the right password was given. */
export function askPassword(place: HTMLElement): Promise<void> {
  return new Promise((resolve) => {
    const field = h("input", { id: "password", type: "password", autocomplete: "current-password", required: true, "aria-describedby": "wrong" });
    const button = h("button", { class: "button isMain" }, t("open"));
    const wrong = h("p", { id: "wrong", class: "wrong", role: "alert" });
    const give = async () => {
      if (button.disabled || field.value === "") return;
      button.disabled = true;
      try {
        await open({ password: field.value });
        resolve();
      } catch (cause) {
        if (await isOver(cause)) return;
        const waitS = cause instanceof Problem && cause.kind === "tooSoon" ? (cause.retryAfterS ?? 1) : 0;
        wrong.textContent = cause instanceof Problem && cause.kind === "wrongPassword" ? t("wrongPassword") : describe(cause);
        if (waitS > 0) await countDown(waitS, (left) => (wrong.textContent = plural("waitSeconds", left)));
        if (waitS > 0) wrong.textContent = "";
        button.disabled = false;
        field.select();
        field.focus();
      }
    };
    const form = h(
      "form",
      {
        onsubmit: (event: Event) => {
          event.preventDefault();
          void give();
        },
      },
      h("label", { for: "password" }, t("password")),
      field,
      wrong,
      button,
    );
    put(place, h("main", { class: "sentence" }, icon(lock, 56), h("h1", {}, t("shut")), h("p", {}, t("shutMore")), form));
    field.focus();
  });
}

function countDown(seconds: number, tell: (left: number) => void): Promise<void> {
  // By the clock, not by counting ticks: a tab in the background gets few of them.
  const end = Date.now() + seconds * 1000;
  return new Promise((resolve) => {
    const step = () => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) return resolve();
      tell(left);
      setTimeout(step, 1000);
    };
    step();
  });
}
