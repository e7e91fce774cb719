// Names for the shapes that the pages use. The shapes themselves come from larder's document of the API.
import type { Answer, Body, Form, Shape } from "./call.ts";

/** One entry of a folder. `modified` is RFC 3339 in UTC, `size` in bytes. */
export type Entry = NonNullable<Answer<"/api/finder">["entries"]>[number];

/** Oneself. The two lists are JSON arrays of path prefixes, as strings. */
export type Self = Answer<"/api/user/get_self">;

/** Where one is signed in. */
export type Session = Answer<"/api/user/sessions">[number];

/** One of all people. */
export type User = Answer<"/api/user/get_all">[number];

/** A one-time code, and where it signs in. */
export type SignInCode = Answer<"/api/user/signin_code">;

/** `roles.json`: who may use each endpoint. */
export type Roles = Answer<"/api/role/get">;

/** What the server does with what comes to a taken name. */
export type IfExists = NonNullable<Form<"/api/upload">["if_exists"]>;

/** One thing in the trash. */
export type Trashed = Answer<"/api/trash">[number];

/** Work that the server goes on with by itself; also what an event tells of it. */
export type Job = Answer<"/api/jobs">[number];

/** One line of the log. */
export type LogRow = Answer<"/api/get_logs">[number];

/** How busy the box is, and how it was. */
export type Resources = Answer<"/api/resources">;
/** How busy the box is, as an event tells it. */
export type Busyness = Shape<"Sample">;

/** One of FTP's own users, and one who is on now. */
export type FtpUser = Answer<"/api/ftp/get_users">[number];
export type NewFtpUser = Body<"/api/ftp/create_user">;
export type FtpUserChange = Body<"/api/ftp/edit_user">;
export type FtpSession = Answer<"/api/ftp/sessions">[number];

export type Settings = Answer<"/api/get_settings">;
/** The names of those that larder knows; a file of settings may hold others. */
export type SettingKey = Exclude<
  keyof { [K in keyof Settings as string extends K ? never : number extends K ? never : K]: true },
  "in_force"
>;
/** What of the settings is to change. */
export type SettingsChange = Body<"/api/update_settings">;

export type CommandResult = Answer<"/api/command">;
export type CloudState = Answer<"/api/cloud/get">;
export type CloudAsk = Body<"/api/cloud/manage">;

/** What of oneself one may change; an `API_KEY` of `new` is a random one. */
export type SelfChange = Body<"/api/user/edit_self">;

/** What is known of a newer larder. */
export type UpdateCheck = Extract<Answer<"/api/update">, { status: "Update checked" }>;
