// Whether a media query holds, followed as it changes.

export class Media {
  isTrue = $state(false);

  constructor(query: string) {
    const list = matchMedia(query);
    this.isTrue = list.matches;
    list.addEventListener("change", () => (this.isTrue = list.matches));
  }
}

/** The width below which the pages are a phone's; the style sheets say the same. */
export const narrow = new Media("(max-width: 640px)");

/** Whether the first means to point is a finger: it has no place between two taps. */
export const fingers = new Media("(hover: none)");
