// Where one is: the view in the address, and the way from one to the next within the page.
import { readRoute, type Route } from "./address.ts";

/** What is kept with a place in the history, to come back to it as it was. */
export interface Place {
  scrollY?: number;
  cursor?: string;
}

class Router {
  route = $state.raw<Route>({ view: "files", path: "", file: "" });
  /** What was kept with the place one came back to. */
  place: Place = {};
  /** What the view on show wants kept; set by the view. */
  leave: () => Place = () => ({});
  /** Whether the view lets go of what is on show; set by a view with unsaved work. `anyway` goes all the same. */
  mayLeave: (anyway: () => void) => boolean = () => true;
  #at = "";

  start(): void {
    // The view comes back to its place by itself, and only once it is there.
    history.scrollRestoration = "manual";
    this.#take();
    window.addEventListener("popstate", (event) => {
      if (!this.mayLeave(() => history.back())) {
        history.pushState(null, "", this.#at);
        return;
      }
      this.place = (event.state as Place | null) ?? {};
      this.#take();
    });
  }

  go(address: string): void {
    if (!this.mayLeave(() => this.go(address))) return;
    history.replaceState(this.leave(), "");
    history.pushState(null, "", address);
    this.place = {};
    this.#take();
  }

  /** Changes the address without a step to come back to. */
  replace(address: string): void {
    if (!this.mayLeave(() => this.replace(address))) return;
    history.replaceState(history.state, "", address);
    this.#take();
  }

  /** Goes where a link leads, within the page, unless the reader wants it elsewhere. */
  follow(event: MouseEvent, address: string): void {
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
      return;
    }
    event.preventDefault();
    this.go(address);
  }

  #take(): void {
    this.#at = location.pathname + location.search;
    this.route = readRoute(location.search);
  }
}

export const router = new Router();
