import { expect, it } from "vitest";
import { checkSettings, wordsFor } from "./settingRules.ts";

it("takes what the server takes", () => {
  const good = {
    host: "0.0.0.0",
    port: 0,
    ftp_host: "",
    ftp_port: 65_535,
    path: "/srv/files",
    trusted_proxies: ["10.0.0.0/8", "::1", "fd00::/8"],
    cors_origins: ["http://nas.example:8080"],
    update_url: "",
    cloud_url: "https://bridge.example/path",
    update_public_key: "",
    ftp_passive_ports: "50000-50100",
    shutdown_command: ["systemctl", "poweroff"],
    trash_days: 0,
    of_the_future: { any: "thing" },
  };
  expect(checkSettings(good)).toEqual({});
});

it("says of each value that is wrong what it must be", () => {
  const bad = {
    host: "nas.local",
    port: 99_999,
    ftp_port: "many",
    ftp_host: "256.0.0.1",
    path: "",
    trusted_proxies: ["10.0.0.0/8", "10.0.0.0/33"],
    cors_origins: ["http://nas.example/path"],
    update_url: "file:///etc",
    update_public_key: "short",
    ftp_passive_ports: "100-200",
    restart_command: [],
    command_timeout: 0,
    trash_percent: 91,
    versions_max: 0,
    thumbs_mb: -1,
  };
  const found = checkSettings(bad);
  expect(Object.keys(found)).toEqual(Object.keys(bad));
  expect(found["port"]).toEqual({ key: "settings.wrongNumber", values: { least: 0, most: 65_535 } });
  expect(found["trusted_proxies"]?.values).toEqual({ text: "10.0.0.0/33" });
});

it("has words for the server's reasons, and repeats the others", () => {
  expect(wordsFor("is not a folder")).toBe("This is not a folder.");
  expect(wordsFor("something new")).toBe("something new");
});

it("judges names in the network as the server does", () => {
  const isGood = (changes: Record<string, string>) => Object.keys(checkSettings(changes)).length === 0;
  for (const name of ["larder", "Attic-2", "a", "x".repeat(63)]) expect(isGood({ discovery_name: name }), name).toBe(true);
  for (const name of ["", "nas.local", "-nas", "nas-", "my nas", "n_as", "küche", "x".repeat(64)]) expect(isGood({ discovery_name: name }), name).toBe(false);
  for (const name of ["larder on nas", "Küche", "ä".repeat(31), "x".repeat(63)]) expect(isGood({ server_name: name }), name).toBe(true);
  for (const name of ["", "x".repeat(64), "ä".repeat(32), "a\nb", "a\u007fb", "nas \u202egpj", "a\u200fb", "a\u2028b"]) expect(isGood({ server_name: name }), name).toBe(false);
});
