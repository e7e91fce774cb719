import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { curlCommand, DEVICES, deviceIn, devicesFor, driveAddress, inScheme, isOwnMachine, rcloneCommand, secureOrigin } from "./devices.ts";

const MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15";
const AT = "http://larder.local:6969";

describe("this device", () => {
  it.each([
    [MAC, "mac"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0", "windows"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "linux"],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36", "android"],
    ["Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36", "android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1", "apple"],
    ["constructor", undefined],
    ["", undefined],
  ])("%s", (agent, device) => {
    expect(deviceIn(agent)).toBe(device);
    const all = devicesFor(agent);
    expect(all[0]).toBe(device ?? "mac");
    expect([...all].sort()).toEqual([...DEVICES].sort());
  });
});

describe("an address", () => {
  it("ends in a slash, and is encoded", () => {
    expect(driveAddress(AT, "")).toBe(`${AT}/dav/`);
    expect(driveAddress(AT, "Our films/50% ü#?")).toBe(`${AT}/dav/Our%20films/50%25%20%C3%BC%23%3F/`);
  });

  it("is written as file managers of Linux do", () => {
    expect(inScheme("https://a:1/dav/", "dav")).toBe("davs://a:1/dav/");
    expect(inScheme("http://a:1/dav/http/", "webdav")).toBe("webdav://a:1/dav/http/");
  });

  it("is encrypted at the same port", () => {
    const origin = (address: string) => secureOrigin(new URL(address) as unknown as Location);
    expect(origin("http://larder.local:6969/")).toBe("https://larder.local:6969");
    expect(origin("http://larder.local/")).toBe("https://larder.local:80");
    expect(origin("https://[fd00::1]/")).toBe("https://[fd00::1]");
  });

  it("is good elsewhere, or on the machine itself only", () => {
    for (const host of ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"]) expect(isOwnMachine(host), host).toBe(true);
    for (const host of ["larder.local", "192.168.1.2", "127.0.0.1.example.org", "[fd00::1]"]) expect(isOwnMachine(host), host).toBe(false);
  });
});

describe("a command", () => {
  it("names the key once there is one", () => {
    const signIn = { name: "anna", key: undefined };
    expect(curlCommand(`${AT}/dav/`, signIn)).toBe(`curl --user anna --request PROPFIND --header 'Depth: 1' ${AT}/dav/`);
    expect(rcloneCommand(`${AT}/dav/`, signIn)).toContain(" user=anna pass=KEY ");
    expect(rcloneCommand(`${AT}/dav/`, { ...signIn, key: "lk_x" })).toContain(" pass=lk_x ");
  });

  it("is one word each to a shell, whatever is in it", () => {
    const name = `it's "$(id)" \\ \`id\` & ; #`;
    const command = curlCommand(driveAddress(AT, "a'b (c)"), { name, key: undefined });
    const words = execFileSync("sh", ["-c", `set -- ${command}; for one; do printf '%s\\n' "$one"; done`], { encoding: "utf8" });
    expect(words.trimEnd().split("\n")).toEqual(["curl", "--user", name, "--request", "PROPFIND", "--header", "Depth: 1", `${AT}/dav/a'b%20(c)/`]);
  });
});
