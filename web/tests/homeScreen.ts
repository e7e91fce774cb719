// The worker that stands between the pages and larder, and what other apps share, for the tests of both.
import type { Page } from "playwright-core";

/** What another app shares: its content is text. */
export interface SharedFile {
  name: string;
  content: string;
  modified?: number;
}

/** Waits until the worker is there, then opens the page once more, so that it is the worker's. */
export async function underWorker(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
}

/** Has another app share: the browser then sends a form, as this does. */
export async function share(page: Page, files: SharedFile[], words: Record<string, string> = {}): Promise<void> {
  await page.evaluate(
    ([files, words]) => {
      const form = Object.assign(document.createElement("form"), { action: "/share", method: "post", enctype: "multipart/form-data" });
      const input = Object.assign(document.createElement("input"), { type: "file", name: "files", multiple: true });
      const all = new DataTransfer();
      for (const { name, content, modified } of files) all.items.add(new File([content], name, { type: "text/plain", lastModified: modified ?? 0 }));
      input.files = all.files;
      form.append(input);
      for (const [name, value] of Object.entries(words)) form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
      document.body.append(form);
      form.submit();
    },
    [files, words] as const,
  );
  await page.waitForURL((url) => url.pathname === "/");
}

/** Where one says into which folder what was shared goes. */
export const shareSheet = (page: Page) => page.getByRole("dialog", { name: "Put what was shared into a folder" });
