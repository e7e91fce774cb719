// How WebDAV is to be had here: asked of larder itself, which tells everybody by how it answers.
import { askItself } from "../api/http.ts";
import { Problem } from "../api/problem.ts";
import { hasOwnAuthority } from "../api/system.ts";
import { secureOrigin } from "./devices.ts";

export type Door =
  /** The owner has switched it off. */
  | { is: "off" }
  /** It wants HTTPS, and where larder speaks that is not known here. */
  | { is: "needsHttps" }
  | {
      is: "open";
      /** Where it is, over HTTPS if there is any. */
      origin: string;
      /** Where it is without. */
      plainOrigin: string | undefined;
      /** Larder vouches for itself: each device is told once to trust it. */
      wantsTrust: boolean;
    };

/** `here` is how the reader came to larder. To be asked by whose role lets in by WebDAV. */
export async function learnDoor(here: Location, signal: AbortSignal): Promise<Door> {
  const [answer, wantsTrust] = await Promise.all([answerAt("/dav/", signal), hasOwnAuthority(signal)]);
  if (answer === "missing") return { is: "off" };
  const isPlain = here.protocol === "http:";
  const hasHttps = !isPlain || wantsTrust;
  // The role does let in: what is refused is how it came.
  const isPlainRefused = isPlain && answer === "refused";
  if (isPlainRefused && !hasHttps) return { is: "needsHttps" };
  return {
    is: "open",
    origin: hasHttps ? secureOrigin(here) : here.origin,
    plainOrigin: isPlain && hasHttps && !isPlainRefused ? here.origin : undefined,
    wantsTrust,
  };
}

async function answerAt(address: string, signal: AbortSignal): Promise<"there" | "missing" | "refused"> {
  try {
    await askItself(address, signal);
    return "there";
  } catch (cause) {
    if (cause instanceof Problem && (cause.kind === "missing" || cause.kind === "refused")) return cause.kind;
    throw cause;
  }
}
