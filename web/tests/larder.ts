// One real larder in an empty folder, and one real Chromium, for the end-to-end tests.
// Whatever is started here is stopped here.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { type Browser, type BrowserContext, chromium } from "playwright-core";

export const ADMIN = { name: "admin", password: "a long enough password" };
export const READER = { name: "reader", password: "another long password" };

/** Names under which systems install Chromium. */
const BROWSER_NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];
/** Milliseconds larder has to end by itself, before it is killed. */
const STOP_MS_MAX = 15_000;

export interface Larder {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** The folder that is shared. */
  root: string;
  /** The process's id, for those who measure it. */
  pid: () => number;
  /** Ends it as a power cut would. */
  crash: () => Promise<void>;
  /** Starts it again after a crash: the same state, the same port. */
  startAgain: () => Promise<void>;
  stop: () => Promise<void>;
}

/** Starts larder with an admin and somebody who may only read. */
export async function startLarder(): Promise<Larder> {
  const program = process.env["LARDER_BIN"];
  if (!program) throw new Error("LARDER_BIN names no larder to test");
  const folder = await mkdtemp(join(tmpdir(), "larder-e2e-"));
  const [state, root] = [join(folder, "state"), join(folder, "state", "files")];
  let { child, url } = await serve(program, state, "0").catch(async (cause: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw cause;
  });
  const stop = async () => {
    await end(child, "SIGTERM");
    await rm(folder, { recursive: true, force: true });
  };
  const crash = () => end(child, "SIGKILL");
  const startAgain = async () => {
    ({ child, url } = await serve(program, state, new URL(url).port));
  };
  try {
    await addUser(program, state);
    return { url, root, pid: () => child.pid ?? 0, crash, startAgain, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

async function serve(program: string, state: string, port: string) {
  const args = ["serve", "--state", state, "--port", port, "--host", "127.0.0.1", "--ftp-port", "0"];
  const child = spawn(program, args, {
    env: { ...process.env, LARDER_ADMIN_PASSWORD: ADMIN.password },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    return { child, url: await readUrl(child) };
  } catch (cause) {
    await end(child, "SIGKILL");
    throw cause;
  }
}

/** How the browser that is installed is started; none is downloaded. */
function browserOptions() {
  // Chromium refuses its sandbox to root, as whom containers run it.
  return { executablePath: findBrowser(), args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] };
}

export function startBrowser(): Promise<Browser> {
  return chromium.launch(browserOptions());
}

/** The browser of somebody who trusts this authority (DER); `home` is theirs, and empty so far. */
export async function startTrustingBrowser(home: string, authority: Uint8Array): Promise<BrowserContext> {
  const [store, file] = [join(home, ".pki", "nssdb"), join(home, "authority.crt")];
  await mkdir(store, { recursive: true });
  await writeFile(file, authority);
  // Where Chromium on Linux looks for what the system does not know; Debian: libnss3-tools.
  execFileSync("certutil", ["-N", "-d", `sql:${store}`, "--empty-password"]);
  execFileSync("certutil", ["-A", "-d", `sql:${store}`, "-n", "larder", "-t", "C,,", "-i", file]);
  // What it installs goes below this home as well.
  const elsewhere = Object.entries(process.env).filter(([name]) => !name.startsWith("XDG_"));
  const env = { ...Object.fromEntries(elsewhere), HOME: home };
  return await chromium.launchPersistentContext(join(home, "profile"), { ...browserOptions(), env, locale: "en-GB" });
}

function findBrowser(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const name of BROWSER_NAMES) {
    for (const folder of folders) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not here.
      }
    }
  }
  throw new Error(`no browser on PATH; looked for ${BROWSER_NAMES.join(", ")}`);
}

/** The address in larder's banner. */
async function readUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("larder has no output");
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (!url) continue;
    // What it says later must not fill the pipe.
    child.stdout.resume();
    return url;
  }
  throw new Error(`larder ended before it was up; it said: ${lines.join("\n")}`);
}

/** Adds READER, who may read everything and write nothing. */
function addUser(program: string, state: string): Promise<void> {
  const args = ["user", "add", READER.name, "--state", state, "--role", "admin"];
  const child = spawn(program, [...args, "--paths", '[""]', "--paths-write", "[]"], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  child.stdin.end(`${READER.password}\n`);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`user add: ${code}`))));
  });
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS_MAX);
  await ended;
  clearTimeout(timer);
}
