// The shapes of the API's answers that the pages use. To be generated from `larder openapi`.

/** One entry of a folder. `modified` is RFC 3339 in UTC, `size` in bytes. */
export interface Entry {
  name: string;
  type: "file" | "folder" | "other";
  size: number;
  modified: string;
  mime: string;
  writable: boolean;
}

/** `GET /api/user/get_self`. The two lists are JSON arrays of path prefixes, as strings. */
export interface Self {
  username: string;
  name: string;
  role: string;
  paths: string;
  paths_write: string;
}

/** What a role may be allowed or denied that the pages care for. */
export type Endpoint =
  | "/api/finder"
  | "/api/download"
  | "/api/get_file"
  | "/api/upload"
  | "/api/create_folder"
  | "/api/rename_file"
  | "/api/rename_folder"
  | "/api/delete_file"
  | "/api/delete_folder";

/** What the server does with an upload whose name is taken. */
export type IfExists = "overwrite" | "rename" | "error";
