// WebDAV as programs speak it, for what pages cannot do themselves: to lock, and to use a key.
import { request as plain } from "node:http";
import { request as overTls } from "node:https";

/** Who asks: a user, and their password or a key. */
export interface Asker {
  name: string;
  password: string;
}

export interface Answered {
  status: number;
  text: string;
  /** A header field; "" where there is none. */
  field: (name: string) => string;
}

/** Asks at an address. `authority`: what is trusted over TLS (DER), and nothing else. */
export function askDav(
  method: string,
  address: string,
  { name, password }: Asker,
  more: { fields?: Record<string, string>; body?: string; authority?: Buffer } = {},
): Promise<Answered> {
  const { fields = {}, body = "", authority } = more;
  const headers = { ...fields, Authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`, "Content-Length": String(Buffer.byteLength(body)) };
  const isSecure = address.startsWith("https:");
  const options = { method, headers, agent: false, ...(authority && { ca: pemOf(authority) }) };
  return new Promise((resolve, reject) => {
    const asking = (isSecure ? overTls : plain)(address, options, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (some: string) => (text += some));
      answer.on("error", reject);
      answer.on("end", () => {
        const field = (wanted: string) => [answer.headers[wanted.toLowerCase()] ?? ""].flat().join(", ");
        resolve({ status: answer.statusCode ?? 0, text, field });
      });
    });
    asking.on("error", reject);
    asking.end(body);
  });
}

/** Locks something, and what is below it, as an office program does; answers with the token. */
export async function lock(address: string, who: Asker): Promise<string> {
  const body = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>';
  const answer = await askDav("LOCK", address, who, { fields: { Timeout: "Second-3600" }, body });
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`LOCK: ${answer.status} ${answer.text}`);
  return answer.field("Lock-Token");
}

export async function unlock(address: string, who: Asker, token: string): Promise<void> {
  const answer = await askDav("UNLOCK", address, who, { fields: { "Lock-Token": token } });
  if (answer.status !== 204) throw new Error(`UNLOCK: ${answer.status} ${answer.text}`);
}

function pemOf(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
