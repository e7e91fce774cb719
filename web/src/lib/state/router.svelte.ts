// Where one is: the view in the address, and the way from one to the next within the page.
import { isPlainClick } from "./keys.ts";
import { readRoute, type Route, type View } from "./address.ts";
import { type Place, Places } from "./places.ts";

export { isPlainClick };

class Router {
  route = $state.raw<Route>({ view: "files", path: "", file: "" });
  /** How one stood in the place one came back to. */
  place: Place = {};
  /** How one stands now; set by the view on show. */
  leave: () => Place = () => ({});
  /** Whether the view lets go of what is on show; set by a view with unsaved work. `anyway` goes all the same. */
  mayLeave: (anyway: () => void) => boolean = () => true;
  /** Made when the page is there: its tab keeps them. */
  #places: Places | undefined;
  /** Where one stands in the history: each step has a name of its own. */
  #step = "";
  /** Where each view was left last, and how one stood there. */
  #left: Partial<Record<View, { at: string; place: Place }>> = {};
  #at = "";

  start(): void {
    // The view comes back to its place by itself, and only once it is there.
    history.scrollRestoration = "manual";
    this.#places = new Places();
    this.#arrive(history.state);
    window.addEventListener("popstate", (event) => this.#pop(event.state));
    // The page goes: by a reload, to a page of its own, or for good.
    window.addEventListener("pagehide", () => this.#keepPlace());
  }

  go(address: string): void {
    if (!this.mayLeave(() => this.go(address))) return;
    this.#keepPlace();
    this.#push(address);
    const { view } = readRoute(location.search);
    const left = this.#left[view];
    // From another view one comes back to where one was; along a way one begins at the top.
    const isBack = view !== this.route.view && left?.at === addressHere();
    this.place = isBack ? left.place : {};
    this.#take();
  }

  /** Changes the address without a step to come back to. */
  replace(address: string): void {
    if (!this.mayLeave(() => this.replace(address))) return;
    history.replaceState({ step: this.#step }, "", address);
    this.#take();
  }

  /** Goes where a link leads, within the page, unless the reader wants it elsewhere. */
  follow(event: MouseEvent, address: string): void {
    if (!isPlainClick(event)) return;
    event.preventDefault();
    this.go(address);
  }

  #pop(state: unknown): void {
    if (!this.mayLeave(() => history.back())) {
      this.#push(this.#at);
      return;
    }
    this.#keepPlace();
    this.#arrive(state);
  }

  /** Comes to a step of the history that is there already. */
  #arrive(state: unknown): void {
    const step = stepOf(state);
    this.#step = step === "" ? newStep() : step;
    if (step === "") history.replaceState({ step: this.#step }, "");
    this.place = this.#places?.of(this.#step) ?? {};
    this.#take();
  }

  #keepPlace(): void {
    const place = this.leave();
    this.#left[this.route.view] = { at: this.#at, place };
    this.#places?.keep(this.#step, place);
  }

  #push(address: string): void {
    this.#step = newStep();
    history.pushState({ step: this.#step }, "", address);
  }

  #take(): void {
    this.#at = addressHere();
    this.route = readRoute(location.search);
  }
}

export const router = new Router();

function addressHere(): string {
  return location.pathname + location.search;
}

/** A name that no other step of this tab has. */
function newStep(): string {
  return `${Date.now()}.${Math.random()}`;
}

/** The name in what was kept with a step; "" where nothing was, as for an address that was typed in. */
function stepOf(state: unknown): string {
  const step = typeof state === "object" && state !== null && "step" in state ? state.step : "";
  return typeof step === "string" ? step : "";
}
