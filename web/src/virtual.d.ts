// Modules that the build makes; see vite.config.ts.

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
