// Every endpoint a role may be given, in plain words, with what it puts at stake.
import type { TextKey } from "../state/texts.svelte.ts";

/** `low` looks; `medium` changes files; `high` changes who may do what, or the box itself. */
export type Risk = "low" | "medium" | "high";

export interface EndpointAbout {
  label: TextKey;
  risk: Risk;
}

const ABOUT: Record<string, EndpointAbout> = {
  "/api/finder": { label: "endpoint.finder", risk: "low" },
  "/api/download": { label: "endpoint.download", risk: "low" },
  "/api/get_file": { label: "endpoint.getFile", risk: "low" },
  "/api/events": { label: "endpoint.events", risk: "low" },
  "/api/upload": { label: "endpoint.upload", risk: "medium" },
  "/api/new_file": { label: "endpoint.newFile", risk: "medium" },
  "/api/edit_file": { label: "endpoint.editFile", risk: "medium" },
  "/api/create_folder": { label: "endpoint.createFolder", risk: "medium" },
  "/api/rename_file": { label: "endpoint.renameFile", risk: "medium" },
  "/api/rename_folder": { label: "endpoint.renameFolder", risk: "medium" },
  "/api/move": { label: "endpoint.move", risk: "medium" },
  "/api/copy": { label: "endpoint.copy", risk: "medium" },
  "/api/jobs": { label: "endpoint.jobs", risk: "low" },
  "/api/jobs/cancel": { label: "endpoint.jobsCancel", risk: "low" },
  "/api/delete_file": { label: "endpoint.deleteFile", risk: "medium" },
  "/api/delete_folder": { label: "endpoint.deleteFolder", risk: "medium" },
  "/api/trash": { label: "endpoint.trash", risk: "low" },
  "/api/trash/restore": { label: "endpoint.trashRestore", risk: "medium" },
  "/api/trash/empty": { label: "endpoint.trashEmpty", risk: "medium" },
  "/api/resources": { label: "endpoint.resources", risk: "low" },
  "/api/get_version": { label: "endpoint.getVersion", risk: "low" },
  "/api/get_logs": { label: "endpoint.getLogs", risk: "high" },
  "/api/get_settings": { label: "endpoint.getSettings", risk: "high" },
  "/api/update_settings": { label: "endpoint.updateSettings", risk: "high" },
  "/api/command": { label: "endpoint.command", risk: "high" },
  "/api/shutdown": { label: "endpoint.shutdown", risk: "high" },
  "/api/restart": { label: "endpoint.restart", risk: "high" },
  "/api/update": { label: "endpoint.update", risk: "high" },
  "/update_start_exit_program": { label: "endpoint.exit", risk: "high" },
  "/api/user/get_all": { label: "endpoint.userGetAll", risk: "high" },
  "/api/user/create": { label: "endpoint.userCreate", risk: "high" },
  "/api/user/edit": { label: "endpoint.userEdit", risk: "high" },
  "/api/user/delete": { label: "endpoint.userDelete", risk: "high" },
  "/api/role/get": { label: "endpoint.roleGet", risk: "high" },
  "/api/role/edit": { label: "endpoint.roleEdit", risk: "high" },
  "/api/ftp/get_users": { label: "endpoint.ftpGetUsers", risk: "high" },
  "/api/ftp/create_user": { label: "endpoint.ftpCreateUser", risk: "high" },
  "/api/ftp/edit_user": { label: "endpoint.ftpEditUser", risk: "high" },
  "/api/ftp/delete_user": { label: "endpoint.ftpDeleteUser", risk: "high" },
  "/api/ftp/start": { label: "endpoint.ftpStart", risk: "high" },
  "/api/ftp/stop": { label: "endpoint.ftpStop", risk: "high" },
  "/api/ftp/sessions": { label: "endpoint.ftpSessions", risk: "high" },
  "/api/cloud/get": { label: "endpoint.cloudGet", risk: "high" },
  "/api/cloud/manage": { label: "endpoint.cloudManage", risk: "high" },
};

/** What is known of an endpoint; one that is new to these pages is taken for risky. */
export function aboutEndpoint(path: string): EndpointAbout | undefined {
  return Object.hasOwn(ABOUT, path) ? ABOUT[path] : undefined;
}

/** The endpoints in the order of this page; unknown ones at the end. */
export function inOrder(paths: readonly string[]): string[] {
  const known = Object.keys(ABOUT);
  const place = (path: string) => (known.includes(path) ? known.indexOf(path) : known.length);
  return [...paths].sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1));
}

/** What somebody needs who keeps files here; what a new role is given. */
export const FILE_ENDPOINTS: readonly string[] = Object.keys(ABOUT).slice(0, 19);

/** What is used by those who may only look. */
export const READ_ENDPOINTS: readonly string[] = ["/api/finder", "/api/download", "/api/get_file", "/api/events"];
