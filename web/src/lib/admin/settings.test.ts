import { expect, it } from "vitest";
import { GROUPS, heldIn, inForce, readComplaint, toText, toValue } from "./settings.ts";

it("turns values into what is typed and back", () => {
  for (const [kind, value] of [
    ["text", "0.0.0.0"],
    ["number", 6969],
    ["lines", ["systemctl", "poweroff"]],
    ["lines", []],
  ] as const) {
    expect(toValue(kind, toText(value))).toEqual(value);
  }
  expect(toText(undefined)).toBe("");
  expect(toValue("number", "many")).toBe("many");
});

it("reads which setting is wrong and why", () => {
  expect(readComplaint("Invalid settings: port: 0 to 65535: really")).toEqual({
    key: "port",
    why: "0 to 65535: really",
  });
  expect(readComplaint("No settings provided")).toBeUndefined();
});

it("has every key of the contract once", () => {
  const keys = GROUPS.flatMap((group) => group.settings.map((setting) => setting.key));
  expect(new Set(keys).size).toBe(keys.length);
  expect(keys).toEqual(
    expect.arrayContaining([
      ...["host", "port", "path", "version", "com_password", "ftp", "ftp_host", "ftp_port"],
      ...["ftp_timeout", "ftp_passive_ports", "ftp_public_host", "shutdown_command"],
      ...["restart_command", "command_timeout", "log_retention_days", "update_url", "cloud_url"],
      ...["trusted_proxies", "public_url", "allowed_hosts", "cors_origins", "trash_days", "trash_percent", "thumbs_mb"],
    ]),
  );
});

it("tells what is in force from what is saved", () => {
  const settings = { port: 6969, ftp: true, in_force: { port: 80, ftp: false } };
  expect(heldIn(settings)).toEqual({ port: 80, ftp: false });
  expect(inForce(settings, "port")).toBe(80);
  expect(inForce(settings, "ftp")).toBe(false);
  expect(inForce({ port: 6969 }, "port")).toBe(6969);
  expect(inForce({ ftp: true, in_force: {} }, "ftp")).toBe(true);
  expect(inForce(undefined, "port")).toBeUndefined();
  expect(heldIn({ in_force: null })).toEqual({});
});
