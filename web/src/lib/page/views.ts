// The views and what each needs: an icon, words, and an endpoint one's role must allow.
import Activity from "@lucide/svelte/icons/activity";
import Cloud from "@lucide/svelte/icons/cloud";
import Folder from "@lucide/svelte/icons/folder";
import Images from "@lucide/svelte/icons/images";
import Network from "@lucide/svelte/icons/network";
import RefreshCw from "@lucide/svelte/icons/refresh-cw";
import ScrollText from "@lucide/svelte/icons/scroll-text";
import Settings from "@lucide/svelte/icons/settings";
import Share2 from "@lucide/svelte/icons/share-2";
import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import Trash from "@lucide/svelte/icons/trash-2";
import UserRound from "@lucide/svelte/icons/user-round";
import Users from "@lucide/svelte/icons/users";
import type { Endpoint } from "../api/call.ts";
import type { View } from "../state/address.ts";
import type { TextKey } from "../state/texts.svelte.ts";

export interface ViewAbout {
  view: View;
  label: TextKey;
  icon: typeof Folder;
  /** The endpoint without which the view is of no use; none for what everybody has. */
  endpoint?: Endpoint;
}

export const EVERYBODYS: readonly ViewAbout[] = [
  { view: "files", label: "nav.files", icon: Folder },
  { view: "photos", label: "nav.photos", icon: Images, endpoint: "/api/photos" },
  { view: "shared", label: "nav.shared", icon: Share2, endpoint: "/api/link/create" },
  { view: "trash", label: "nav.trash", icon: Trash, endpoint: "/api/trash" },
];

export const OWNERS: readonly ViewAbout[] = [
  { view: "dashboard", label: "nav.dashboard", icon: Activity, endpoint: "/api/resources" },
  { view: "people", label: "nav.people", icon: Users, endpoint: "/api/user/get_all" },
  { view: "ftp", label: "nav.ftp", icon: Network, endpoint: "/api/ftp/get_users" },
  { view: "logs", label: "nav.logs", icon: ScrollText, endpoint: "/api/get_logs" },
  { view: "settings", label: "nav.settings", icon: Settings, endpoint: "/api/get_settings" },
  { view: "terminal", label: "nav.terminal", icon: SquareTerminal, endpoint: "/api/command" },
  { view: "update", label: "nav.update", icon: RefreshCw, endpoint: "/api/update" },
  { view: "cloud", label: "nav.cloud", icon: Cloud, endpoint: "/api/cloud/get" },
];

export const OWN: ViewAbout = { view: "profile", label: "nav.profile", icon: UserRound };

export function aboutView(view: View): ViewAbout {
  return [...EVERYBODYS, ...OWNERS, OWN].find((one) => one.view === view) ?? OWN;
}
