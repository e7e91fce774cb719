// What can go wrong with a question to the server, in the pages' own words.
import type { Shape } from "./call.ts";

export type ProblemKind =
  | "signedOut" // the session is over, or a link's password is missing
  | "wrongPassword"
  | "codeRequired" // the password is right, and a second factor is wanted
  | "wrongCode"
  | "clockNotSet" // larder does not know the time, which codes go by
  | "secondFactorNeeded" // the role may do nothing without one
  | "refused" // signed in, and not permitted
  | "deniedByDrive" // larder would; the drive's own permissions would not
  | "invalid"
  | "invalidName"
  | "tooMany" // a list that is longer than larder takes
  | "missing"
  | "gone" // a link that is over
  | "collision" // the name is taken
  | "conflict" // something else stands in the way
  | "locked" // somebody works on it with another program
  | "remains" // part of it cannot be deleted
  | "tooLarge"
  | "tooSoon"
  | "diskFull"
  | "readOnly" // the drive can only be read
  | "storageAbsent" // the drive is not there
  | "driveBusy" // the drive does not answer
  | "unknownHost" // asked for by a name larder does not go by
  | "unreadable" // the browser cannot read the file any more
  | "away" // the server cannot be reached, or has no room just now
  | "fault";

/** What else an answer that refuses tells. */
export interface ProblemFacts {
  /** larder's word for it; "" where the answer is not larder's. */
  code?: string;
  /** Seconds to wait before asking again, where the server says so. */
  retryAfterS?: number | undefined;
  /** What could not be deleted: paths, 20 at most. */
  failed?: readonly string[];
}

/** A refused or failed question. `message` is the server's, for the curious; pages show `kind`. */
export class Problem extends Error {
  readonly code: string;
  readonly retryAfterS: number | undefined;
  readonly failed: readonly string[];

  constructor(
    readonly kind: ProblemKind,
    message: string,
    { code = "", retryAfterS, failed = [] }: ProblemFacts = {},
  ) {
    super(message);
    this.name = "Problem";
    this.code = code;
    this.retryAfterS = retryAfterS;
    this.failed = failed;
  }
}

/** larder's own word for why it refuses. */
type Code = Shape<"Error">["code"];

/** The codes of larder's refusals that mean something of their own here; others go by their status. */
const KINDS: Partial<Record<Code, ProblemKind>> = {
  cannot_delete: "remains",
  clock_not_set: "clockNotSet",
  code_required: "codeRequired",
  conflict: "conflict",
  denied_by_drive: "deniedByDrive",
  disk_full: "diskFull",
  drive_absent: "storageAbsent",
  drive_busy: "driveBusy",
  exists: "collision",
  invalid_name: "invalidName",
  invalid_token: "signedOut",
  list_too_long: "tooMany",
  locked: "locked",
  not_permitted: "refused",
  password_required: "signedOut",
  read_only: "readOnly",
  second_factor_needed: "secondFactorNeeded",
  token_expired: "signedOut",
  too_large: "tooLarge",
  unauthorized: "signedOut",
  unknown_host: "unknownHost",
  wrong_code: "wrongCode",
  wrong_password: "wrongPassword",
};

/** What to wait when the server says "too soon" and not how long. */
const RETRY_AFTER_S_DEFAULT = 1;
/** Nobody is asked to wait longer than this by a number that went wrong. */
const RETRY_AFTER_S_MAX = 3600;

/** The problem an answer means: its status, its body, and its `Retry-After` field. */
export function problemOf(status: number, body: string, retryAfter: string | null): Problem {
  const { message, code, failed } = readBody(body);
  const kind = kindOf(status, code);
  const waitS = readRetryAfter(retryAfter) ?? (kind === "tooSoon" ? RETRY_AFTER_S_DEFAULT : undefined);
  return new Problem(kind, message, { code, failed, retryAfterS: waitS });
}

/** What larder's code means; `undefined` where the status says more. */
export function kindOfCode(code: string): ProblemKind | undefined {
  return Object.hasOwn(KINDS, code) ? KINDS[code as Code] : undefined;
}

function kindOf(status: number, code: string): ProblemKind {
  const known = kindOfCode(code);
  if (known) return known;
  switch (status) {
    case 400:
    case 405:
      return "invalid";
    // Of an answer without a body nobody can say whether the session is over: whoever asked finds out.
    case 401:
    case 403:
      return "refused";
    case 404:
      return "missing";
    case 409:
      return "collision";
    case 410:
      return "gone";
    case 413:
      return "tooLarge";
    case 421:
      return "unknownHost";
    case 429:
      return "tooSoon";
    // Also said by a proxy in front of larder.
    case 502:
    case 503:
    case 504:
      return "away";
    case 507:
      return "diskFull";
    default:
      return "fault";
  }
}

/** What an answer says of itself; nothing when it is not larder's: a proxy's page, or nothing at all. */
function readBody(text: string): { message: string; code: string; failed: string[] } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  const told = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  const textIn = (key: string) => (typeof told[key] === "string" ? told[key] : "");
  const failed = Array.isArray(told["failed"]) ? told["failed"].filter((one) => typeof one === "string") : [];
  return { message: textIn("error"), code: textIn("code"), failed };
}

/** Whole seconds of a `Retry-After` field; its date form is never sent by larder. */
function readRetryAfter(field: string | null): number | undefined {
  if (field === null || !/^\d+$/.test(field.trim())) return undefined;
  return Math.min(Math.max(Number(field), 1), RETRY_AFTER_S_MAX);
}
