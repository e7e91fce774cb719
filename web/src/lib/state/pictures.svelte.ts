// Which kinds of pictures this browser shows. Asked of the browser itself, without a picture of the kind:
// what it cannot show need not be fetched to find out.

/** Takes the place of a kind that is not shown: one white dot. */
const DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

let known = $state.raw<Readonly<Record<string, boolean>>>({});
const asked = new Set<string>();

/** Whether pictures of a media type are shown; `undefined` while that is being found out. */
export function isShown(mime: string): boolean | undefined {
  const type = (mime.split(";")[0] ?? "").trim().toLowerCase();
  // Of what has no type of its own nobody can say; the browser looks into it.
  if (!type.startsWith("image/")) return true;
  if (!asked.has(type)) {
    asked.add(type);
    void ask(type).then((isOne) => (known = { ...known, [type]: isOne }));
  }
  return known[type];
}

/** Whether pictures of a media type are shown, once that is known. */
export async function canShow(mime: string): Promise<boolean> {
  const type = (mime.split(";")[0] ?? "").trim().toLowerCase();
  if (!type.startsWith("image/")) return true;
  return known[type] ?? (await ask(type));
}

/** The browser takes the first source whose type it shows: then that one is broken; else the dot is whole. */
function ask(type: string): Promise<boolean> {
  const [picture, source, image] = [
    document.createElement("picture"),
    document.createElement("source"),
    document.createElement("img"),
  ];
  source.type = type;
  source.srcset = "data:,";
  picture.append(source, image);
  return new Promise((resolve) => {
    image.onerror = () => resolve(true);
    image.onload = () => resolve(false);
    image.src = DOT;
  });
}
