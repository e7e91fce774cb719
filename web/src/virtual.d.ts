// Modules that the build makes; see vite.config.ts, vite.worker.config.ts and icons.ts.

declare module "virtual:endpoints" {
  /** The endpoints that a role may be given, in the order of larder's table. */
  export const endpoints: readonly {
    path: string;
    /** What it belongs to, as larder's document of the API says. */
    group: string;
    /** It changes nothing. */
    isLooking: boolean;
  }[];
}

declare module "lucide:*" {
  /** The elements of an icon, 24 by 24, and their attributes. */
  const node: readonly (readonly [string, Readonly<Record<string, string>>])[];
  export default node;
}

declare module "virtual:pages-version" {
  /** Another one with each other build of the pages. */
  export const pagesVersion: string;
}
