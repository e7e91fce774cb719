// What is listened to: a queue, and the one player that goes on while one looks at other things.
// It lives as long as the page, so signing out ends it.
import { toasts } from "./toasts.svelte.ts";
import { t } from "./texts.svelte.ts";
import { keepPosition, positionOf } from "./positions.ts";
import { nameOf } from "./paths.ts";
import { readable } from "./rawNames.ts";

/** One piece of a queue. */
export interface Track {
  path: string;
  mime: string;
  /** Bytes. */
  size: number;
}

/** Longer ones are read to somebody: one goes on where one stopped (s). */
const LONG_S = 20 * 60;
/** Past this a step back goes to the beginning, as on every player (s). */
const BACK_S = 4;
/** How often the place in a long one is remembered (ms). */
const KEEP_EVERY_MS = 5000;

class Sound {
  /** The queue; empty where nothing is listened to. */
  tracks = $state.raw<readonly Track[]>([]);
  at = $state(0);
  isPlaying = $state(false);
  /** Seconds. */
  time = $state(0);
  duration = $state(0);
  track = $derived(this.tracks[this.at]);
  /** Where the bytes of a piece come from. */
  source: (track: Track) => string = () => "";
  #player: HTMLAudioElement | undefined;
  #failed = 0;
  #keptAt = 0;

  /** Plays a queue from one of its pieces on. To be called in the press that wants it: browsers ask for one. */
  play(tracks: readonly Track[], at: number, source: (track: Track) => string): void {
    this.tracks = tracks;
    this.source = source;
    this.#failed = 0;
    this.goTo(at);
  }

  /** Goes on to a piece of the queue. */
  goTo(at: number): void {
    const track = this.tracks[at];
    if (!track) return;
    this.#keep(true);
    this.at = at;
    this.time = 0;
    this.duration = 0;
    const player = this.#ready();
    player.src = this.source(track);
    this.resume();
  }

  resume(): void {
    // Refused where nobody pressed anything: the bar has the button.
    this.#ready().play().catch(() => undefined);
  }

  pause(): void {
    this.#player?.pause();
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.resume();
  }

  next(): void {
    if (this.at < this.tracks.length - 1) this.goTo(this.at + 1);
  }

  previous(): void {
    if (this.time > BACK_S || this.at === 0) this.seek(0);
    else this.goTo(this.at - 1);
  }

  /** Goes to a place (s) of the piece. */
  seek(time: number): void {
    const player = this.#player;
    if (!player || !Number.isFinite(time)) return;
    player.currentTime = Math.min(Math.max(time, 0), Math.max(0, this.duration));
    this.time = player.currentTime;
  }

  /** Ends it all. */
  stop(): void {
    this.#keep(true);
    this.tracks = [];
    this.#player?.remove();
    this.#player?.removeAttribute("src");
    this.#player?.load();
    this.#player = undefined;
    this.isPlaying = false;
  }

  #ready(): HTMLAudioElement {
    if (this.#player) return this.#player;
    const player = new Audio();
    player.preload = "metadata";
    player.onplay = () => (this.isPlaying = true);
    player.onpause = () => {
      this.isPlaying = false;
      this.#keep(true);
    };
    player.ontimeupdate = () => {
      this.time = player.currentTime;
      this.#keep(false);
    };
    player.ondurationchange = () => (this.duration = Number.isFinite(player.duration) ? player.duration : 0);
    player.onloadedmetadata = () => this.#begin(player);
    player.onended = () => this.next();
    player.onerror = () => this.#fail(player);
    document.body.append(player);
    return (this.#player = player);
  }

  #begin(player: HTMLAudioElement): void {
    this.#failed = 0;
    const { track } = this;
    if (!track || player.duration < LONG_S) return;
    const at = positionOf(track.path, player.duration);
    if (at > 0) player.currentTime = at;
  }

  /** What this browser does not play is passed over, and said; where it plays none, it stops. */
  #fail(player: HTMLAudioElement): void {
    const { track } = this;
    // An address that was taken away is no failure.
    if (!track || player.getAttribute("src") === null) return;
    toasts.complain(t("sound.unplayed", { name: readable(nameOf(track.path)) }));
    this.#failed += 1;
    if (this.#failed < 3 && this.at < this.tracks.length - 1) this.next();
    else this.isPlaying = false;
  }

  #keep(isNow: boolean): void {
    const { track, duration, time } = this;
    if (!track || duration < LONG_S || time === 0) return;
    const now = performance.now();
    if (!isNow && now - this.#keptAt < KEEP_EVERY_MS) return;
    this.#keptAt = now;
    keepPosition(track.path, time, duration);
  }
}

export const sound = new Sound();
