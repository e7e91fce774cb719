// The end-to-end run: the real larder in the real Chromium. Needs LARDER_BIN; see tests/larder.ts.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    environment: "node",
    // One larder and one browser for a file's whole walk; boards and shared machines are slow.
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // What is looked at again and again until it holds: a busy machine makes a second long.
    expect: { poll: { timeout: 20_000 } },
    fileParallelism: false,
  },
});
