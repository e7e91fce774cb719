import { expect, it } from "vitest";
import document from "../../../../docs/openapi.json";
import type { Settings } from "../api/types.ts";
import { checkSettings } from "./settingRules.ts";
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

/** The settings as the server tells of them. */
const { in_force: inForceShape, ...told } = document.components.schemas.Settings.properties;

/** What no field here is for: those who are told when something happens. */
const ELSEWHERE = ["notify"];

it("has every setting of the server once", () => {
  expect(inForceShape).toBeDefined();
  const shown = GROUPS.flatMap((group) => group.settings.map((setting) => setting.key));
  expect([...shown, ...ELSEWHERE].sort()).toEqual(Object.keys(told).sort());
});

it("types every setting as the server does", () => {
  const types = { text: "string", number: "integer", switch: "boolean", lines: "array" };
  for (const one of GROUPS.flatMap((group) => group.settings)) {
    expect([one.key, types[one.kind]]).toEqual([one.key, told[one.key].type]);
  }
});

it("takes numbers as far as the server does", () => {
  const isRight = (key: string, value: number) => Object.keys(checkSettings({ [key]: value })).length === 0;
  const bounded = Object.entries(told).flatMap(([key, one]) =>
    "maximum" in one ? [[key, one.minimum, one.maximum] as const] : [],
  );
  expect(bounded.length).toBeGreaterThan(0);
  for (const [key, least, most] of bounded) {
    const found = [least - 1, least, most, most + 1].map((value) => isRight(key, value));
    expect([key, ...found]).toEqual([key, false, true, true, false]);
  }
});

/** Settings of which only some matter. */
const having = (some: Partial<Settings>) => some as Settings;

it("tells what is in force from what is saved", () => {
  const settings = having({ port: 6969, ftp_port: 21, in_force: { port: 80, ftp_port: 2121 } });
  expect(heldIn(settings)).toEqual({ port: 80, ftp_port: 2121 });
  expect(inForce(settings, "port")).toBe(80);
  expect(inForce(settings, "ftp_port")).toBe(2121);
  expect(inForce(having({ port: 6969 }), "port")).toBe(6969);
  expect(inForce(having({ ftp: true, in_force: {} }), "ftp")).toBe(true);
  expect(inForce(undefined, "port")).toBeUndefined();
  expect(heldIn(undefined)).toEqual({});
});
