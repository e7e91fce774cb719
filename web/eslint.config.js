// What svelte-check cannot see. The rule that matters most: no markup made from strings.
import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import globals from "globals";
import ts from "typescript-eslint";
import svelteConfig from "./svelte.config.js";

/** Ways around Svelte's escaping, and places where a name could become markup or code. */
const MARKUP_FROM_STRINGS = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc"].map(
  (property) => ({ property, message: "Names and contents reach the page as text only." }),
);

export default ts.config(
  { ignores: ["dist/", "node_modules/", "src/lib/api/schema.ts"] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser } },
    rules: {
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-restricted-properties": ["error", ...MARKUP_FROM_STRINGS],
      "no-restricted-globals": [
        "error",
        { name: "fetch", message: "Only src/lib/api/http.ts speaks to the server." },
      ],
      eqeqeq: "error",
    },
  },
  {
    files: ["**/*.svelte", "**/*.svelte.ts"],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      "svelte/no-at-html-tags": "error",
      // Style directives go through the CSSOM, which the policy allows; attributes do not.
      "no-restricted-syntax": [
        "error",
        {
          selector: "SvelteAttribute[key.name='style']",
          message: "The policy stops style attributes: use a class or a style directive.",
        },
      ],
      // Collections here are never changed in place once they are seen; `$state.raw` holds them.
      "svelte/prefer-svelte-reactivity": "off",
      "svelte/no-target-blank": "error",
      "svelte/button-has-type": "error",
      // SvelteKit's; larder has no such router.
      "svelte/no-navigation-without-resolve": "off",
    },
  },
  // The worker asks on behalf of the browser, and knows nothing of the API.
  { files: ["src/lib/api/http.ts", "src/worker.ts"], rules: { "no-restricted-globals": "off" } },
  { files: ["tests/**", "*.ts", "*.js"], languageOptions: { globals: { ...globals.node } } },
);
