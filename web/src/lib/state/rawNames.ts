// Names that are no text on the drive (written by old systems in an encoding of theirs). larder tells them
// as `%=` and then the name with its bytes as `%XX`; by that they are asked for. Here they are made readable.

const MARK = "%=";

/** Whether larder tells a name in its own way because the drive's is no text. */
export function isRaw(told: string): boolean {
  return told.startsWith(MARK);
}

/** What a reader takes a name for: as most old systems in the west wrote it (windows-1252). */
export function readable(told: string): string {
  if (!isRaw(told)) return told;
  return told.slice(MARK.length).replace(/%([0-9A-F]{2})/g, (_, hex: string) => letterOf(parseInt(hex, 16)));
}

const DECODER = new TextDecoder("windows-1252");

function letterOf(byte: number): string {
  return DECODER.decode(Uint8Array.of(byte));
}
