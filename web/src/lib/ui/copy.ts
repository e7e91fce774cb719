// Puts a text on the system's clipboard. Over plain HTTP browsers close the modern way.

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

/** By way of a field that is selected for a moment. */
function copyOldWay(text: string): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "only-spoken";
  // In a dialog: what lies outside of it cannot be selected while it is open.
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? document.body).append(field);
  const before = document.activeElement;
  field.select();
  try {
    return document.execCommand("copy");
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
