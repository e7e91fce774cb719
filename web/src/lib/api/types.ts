// The shapes of the API's answers that the pages use.

/** One entry of a folder. `modified` is RFC 3339 in UTC, `size` in bytes. */
export interface Entry {
  name: string;
  type: "file" | "folder" | "other";
  size: number;
  modified: string;
  mime: string;
  writable: boolean;
  /** The name is told in larder's own way: the drive's is no text. */
  raw?: boolean;
}

/** `GET /api/user/get_self`. The two lists are JSON arrays of path prefixes, as strings. */
export interface Self {
  id: number;
  username: string;
  name: string;
  role: string;
  paths: string;
  paths_write: string;
  settings: string;
}

/** One of `GET /api/user/get_all`. */
export interface User extends Self {
  ip: string;
  /** When and with what program they were here last; "" for never. */
  last_seen: string;
  last_agent: string;
  API_KEY: string;
}

/** `roles.json`: who may use each endpoint. */
export type Roles = Record<string, string[]>;

/** What the server does with what comes to a taken name. */
export type IfExists = "overwrite" | "rename" | "error";

/** One of `GET /api/trash`. */
export interface Trashed {
  id: string;
  /** The full former path. */
  path: string;
  name: string;
  type: "file" | "folder" | "other";
  size: number;
  deleted: string;
  by: string;
  reason: "deleted" | "replaced";
}

/** One of `GET /api/jobs`. */
export interface Job {
  id: string;
  kind: string;
  state: "running" | "done" | "failed" | "cancelled";
  done_bytes: number;
  total_bytes: number;
  done_items: number;
  total_items: number;
  /** Of one that failed: a sentence, larder's word for it, and what could not be deleted. */
  error?: string;
  code?: string;
  failed?: string[];
  /** Under which ids the trash has what it deleted or replaced; none of a job of long ago. */
  trash?: string[];
}

/** `GET /api/get_logs`, newest first. */
export interface LogRow {
  id: number;
  timestamp: string;
  action: string;
  ip: string;
}

/** `GET /api/resources`: percentages, and more where the server knows it. */
export interface Resources {
  cpu: number;
  memory: number;
  disk: number;
  [more: string]: unknown;
}

/** One of `GET /api/ftp/get_users`. */
export interface FtpUser {
  username: string;
  path: string;
  permissions: string;
}

/** One of `GET /api/ftp/sessions`: bytes, bytes per second, seconds. */
export interface FtpSession {
  id: number;
  /** "" before signing in. */
  username: string;
  address: string;
  tls: boolean;
  /** The verb of the transfer that runs; "" without one. */
  doing: string;
  path: string;
  bytes: number;
  rate: number;
  idle: number;
}

export type Settings = Record<string, unknown>;

/** `POST /api/command`. */
export interface CommandResult {
  output: string;
  exit_code: number;
  timed_out?: boolean;
  truncated?: boolean;
}

export type CloudState = Record<string, unknown>;
