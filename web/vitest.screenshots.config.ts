// The README's pictures, taken of the real program: see scripts/screenshots.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/screenshots.ts"],
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
