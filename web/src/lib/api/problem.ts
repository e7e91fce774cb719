// What can go wrong with a question to the server, in the pages' own words.

export type ProblemKind =
  | "signedOut" // the session is over
  | "wrongPassword"
  | "refused" // signed in, and not permitted
  | "invalid"
  | "missing"
  | "collision"
  | "tooLarge"
  | "tooSoon"
  | "diskFull"
  | "storageAbsent" // the drive is not there
  | "away" // the server cannot be reached, or has no room just now
  | "fault";

/** A refused or failed question. `message` is the server's, for the curious; pages show `kind`. */
export class Problem extends Error {
  constructor(
    readonly kind: ProblemKind,
    message: string,
    /** Seconds to wait before asking again, where the server says so. */
    readonly retryAfterS?: number,
  ) {
    super(message);
    this.name = "Problem";
  }
}

/** The server's words for a session that is over; `Unauthorized` may mean that or a refusal. */
const SESSION_OVER = ["Token expired", "Invalid token"];
const STORAGE_ABSENT = "Storage is not available";
/** What to wait when the server says "too soon" and not how long. */
const RETRY_AFTER_S_DEFAULT = 1;
/** Nobody is asked to wait longer than this by a number that went wrong. */
const RETRY_AFTER_S_MAX = 3600;

/** The problem an answer means: its status, its `error`, and its `Retry-After` field. */
export function problemOf(status: number, message: string, retryAfter: string | null): Problem {
  const waitS = readRetryAfter(retryAfter);
  switch (status) {
    case 400:
    case 405:
      return new Problem("invalid", message);
    case 401:
      if (message === "Invalid username or password") return new Problem("wrongPassword", message);
      return new Problem(SESSION_OVER.includes(message) ? "signedOut" : "refused", message);
    case 404:
      return new Problem("missing", message);
    case 409:
      return new Problem("collision", message);
    case 413:
      return new Problem("tooLarge", message);
    case 429:
      return new Problem("tooSoon", message, waitS ?? RETRY_AFTER_S_DEFAULT);
    case 503:
      return new Problem(message === STORAGE_ABSENT ? "storageAbsent" : "away", message, waitS);
    case 502:
    case 504:
      // Said by a proxy in front of larder.
      return new Problem("away", message, waitS);
    case 507:
      return new Problem("diskFull", message);
    default:
      return new Problem("fault", message);
  }
}

/** Whole seconds of a `Retry-After` field; its date form is never sent by larder. */
function readRetryAfter(field: string | null): number | undefined {
  if (field === null || !/^\d+$/.test(field.trim())) return undefined;
  return Math.min(Math.max(Number(field), 1), RETRY_AFTER_S_MAX);
}
