// Looking at files: each kind, over the folder and on a page of its own.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { silence, Walk } from "./harness.ts";
import { READER } from "./larder.ts";

const walk = new Walk();
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="60"><rect width="90" height="60"/></svg>';

function fill(folder: string) {
  const at = join(walk.larder.root, folder);
  mkdirSync(at, { recursive: true });
  for (const name of ["a.svg", "b.svg", "c.svg"]) writeFileSync(join(at, name), SVG);
  writeFileSync(join(at, "a.wav"), silence());
  writeFileSync(join(at, "a.pdf"), "%PDF-1.4\n%%EOF\n");
  writeFileSync(join(at, "a.html"), "<script>document.title = 'run'</script>");
  writeFileSync(join(at, "a.rs"), 'fn main() {\n    println!("hello");\n}\n');
  writeFileSync(
    join(at, "a.md"),
    "# Heading\n\n<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>\n\n**bold** [link](javascript:alert(1))\n",
  );
  writeFileSync(join(at, "a.zip"), "PK");
  writeFileSync(join(at, "z broken.mp4"), "no film");
  writeFileSync(join(at, "long.txt"), "x".repeat(2_000_001));
}

describe("the preview", () => {
  it("shows pictures over the folder, and leads from one to the next", async () => {
    fill("pictures");
    const page = await walk.enter("/?path=pictures");
    await walk.entry("a.svg").dblclick();
    const image = (name: string) => page.getByRole("img", { name });
    await image("a.svg").waitFor();
    await expect.poll(() => image("a.svg").locator("img.original").evaluate((one: HTMLImageElement) => one.naturalWidth)).toBe(90);
    expect(new URL(page.url()).search).toBe("?path=pictures&file=a.svg");
    await walk.expectAccessible("an image");
    await page.keyboard.press("ArrowRight");
    await image("b.svg").waitFor();
    await page.getByRole("button", { name: "Larger" }).click();
    expect(await image("b.svg").getAttribute("style")).toContain("scale(1.5)");
    await page.keyboard.press("0");
    await page.getByRole("button", { name: "Next" }).click();
    await image("c.svg").waitFor();
    await page.keyboard.press("ArrowLeft");
    await image("b.svg").waitFor();
    await page.reload();
    await image("b.svg").waitFor();
    await page.keyboard.press("Escape");
    await walk.entry("b.svg").waitFor();
    await expect.poll(() => new URL(page.url()).search).toBe("?path=pictures");
    await expect.poll(() => walk.selected()).toEqual(["b.svg"]);
  });

  it("deletes what is looked at, goes on to the next, and brings it back", async () => {
    fill("sorted out");
    const page = await walk.enter("/?path=sorted out&file=a.svg");
    const image = (name: string) => page.getByRole("img", { name });
    const confirm = () => page.getByRole("dialog", { name: "Delete “" }).getByRole("button", { name: "Delete", exact: true }).click();
    await image("a.svg").waitFor();
    await page.keyboard.press("Delete");
    await page.getByText("Delete “a.svg”?").waitFor();
    await page.keyboard.press("Escape");
    await image("a.svg").waitFor();
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await confirm();
    await image("b.svg").waitFor();
    await page.getByText("“a.svg” was deleted.").waitFor();
    await walk.expectAccessible("a picture, another deleted");
    await expect.poll(() => existsSync(join(walk.larder.root, "sorted out", "a.svg"))).toBe(false);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("1 item was restored.").waitFor();
    expect(existsSync(join(walk.larder.root, "sorted out", "a.svg"))).toBe(true);
    // The last of its kind leads to the one before it.
    await page.getByRole("button", { name: "Next" }).click();
    await page.getByRole("button", { name: "Next" }).click();
    await page.keyboard.press("Delete");
    await confirm();
    await page.waitForURL((url) => url.searchParams.get("file") === "c.svg");
    await expect.poll(() => existsSync(join(walk.larder.root, "sorted out", "z broken.mp4"))).toBe(false);
  });

  it("colours code, saves it, and warns where somebody else did", async () => {
    fill("code");
    const path = join(walk.larder.root, "code/a.rs");
    const page = await walk.enter("/?path=code&file=a.rs");
    const editor = page.getByRole("textbox", { name: "Edit a.rs" });
    await editor.waitFor();
    // More than one colour: the language was found.
    await expect
      .poll(() =>
        editor.evaluate(
          (one) => new Set([...one.querySelectorAll("span")].map((span) => getComputedStyle(span).color)).size,
        ),
      )
      .toBeGreaterThan(1);
    await walk.expectAccessible("the editor");
    await editor.press("Control+End");
    await page.keyboard.type("// mine");
    await page.getByText("Not saved yet").waitFor();
    await page.keyboard.press("Control+s");
    await page.getByText("Saved.").waitFor();
    expect(readFileSync(path, "utf8")).toContain("// mine");

    await page.keyboard.type(" again");
    writeFileSync(path, "theirs\n");
    await page.keyboard.press("Control+s");
    await page.getByRole("dialog", { name: "was changed meanwhile" }).waitFor();
    await walk.expectAccessible("a conflict");
    expect(readFileSync(path, "utf8")).toBe("theirs\n");
    await page.getByRole("button", { name: "Save mine" }).click();
    await expect.poll(() => readFileSync(path, "utf8")).toContain("// mine again");

    // Leaving asks where something would be lost.
    await page.getByRole("textbox", { name: "Edit a.rs" }).press("Control+End");
    await page.keyboard.type("!");
    await page.getByRole("button", { name: "Back to the folder" }).click();
    await page.getByRole("dialog", { name: "Leave without saving?" }).waitFor();
    await page.getByRole("button", { name: "Leave", exact: true }).click();
    await walk.entry("a.rs").waitFor();
  });

  it("keeps what was typed, however often Escape is pressed", async () => {
    fill("kept");
    const page = await walk.enter("/?path=kept");
    await walk.entry("a.rs").dblclick();
    const editor = page.getByRole("textbox", { name: "Edit a.rs" });
    await editor.waitFor();
    // Opened by the mouse, nothing has a frame around it.
    expect(await page.evaluate(() => document.querySelectorAll("button:focus-visible").length)).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("DIALOG");
    await editor.press("Control+End");
    await page.keyboard.type("// mine");
    for (let times = 0; times < 7; times += 1) await page.keyboard.press("Escape");
    // Closed by force, the browser tells a moment later.
    await page.evaluate(() => new Promise((go) => setTimeout(go, 100)));
    await page.getByText("Not saved yet").waitFor();
    const question = page.getByRole("dialog", { name: "Leave without saving?" });
    if (!(await question.isVisible())) await page.getByRole("button", { name: "Back to the folder" }).click();
    await question.getByRole("button", { name: "Stay" }).click();
    await question.waitFor({ state: "detached" });
    expect(await editor.innerText()).toContain("// mine");
    // Out of a question that came while typing, one goes on typing.
    await editor.press("Control+End");
    await page.keyboard.press("Escape");
    await question.waitFor();
    await page.keyboard.press("Escape");
    await question.waitFor({ state: "detached" });
    await page.keyboard.type(" still");
    await expect.poll(() => editor.innerText()).toContain("// mine still");
    await page.keyboard.press("Control+s");
    await page.getByText("Saved.").waitFor();
    expect(readFileSync(join(walk.larder.root, "kept/a.rs"), "utf8")).toContain("// mine still");
    // With nothing to lose it is left, by force or not.
    for (let times = 0; times < 3; times += 1) await page.keyboard.press("Escape");
    // Closed by force it is out of sight before the page hears of it.
    await expect.poll(() => new URL(page.url()).search).toBe("?path=kept");
    expect(await editor.count()).toBe(0);
  });

  it("shows Markdown as a page in which nothing runs", async () => {
    fill("marked");
    const page = await walk.enter("/?path=marked&file=a.md");
    await page.getByRole("heading", { name: "Heading" }).waitFor();
    expect(await page.title()).toContain("a.md");
    expect(await page.locator("article script, article [onerror], article a[href^=javascript]").count()).toBe(0);
    await walk.expectAccessible("Markdown");
    await page.getByRole("button", { name: "Edit" }).click();
    await page.getByRole("textbox", { name: "Edit a.md" }).waitFor();
    // The policy stopped the handler before DOMPurify took it away, and says so.
    walk.complaints.splice(0);
  });

  it("colours the code in Markdown, and ticks its tasks", async () => {
    const at = join(walk.larder.root, "tasks");
    mkdirSync(at, { recursive: true });
    const text = "- [x] milk\n- [ ] bread\n\n```js\nconst a = 1;\n```\n\n```\nplain\n```\n\n- [ ] cheese\n";
    writeFileSync(join(at, "list.md"), text);
    const page = await walk.enter("/?path=tasks&file=list.md");
    const code = page.locator("pre code").first();
    await code.locator(".code-keyword").getByText("const").waitFor();
    const colour = (one: Element) => getComputedStyle(one).color;
    expect(await code.locator(".code-keyword").first().evaluate(colour)).not.toBe(await code.evaluate(colour));
    expect(await code.innerText()).toBe("const a = 1;\n");
    expect(await page.locator("pre code").last().locator("span").count()).toBe(0);
    await page.getByRole("checkbox", { name: "bread" }).check();
    await page.getByRole("checkbox", { name: "cheese" }).check();
    await page.getByRole("checkbox", { name: "milk" }).uncheck();
    const wanted = text.replace("[x] milk", "[ ] milk").replace("[ ] bread", "[x] bread").replace("[ ] cheese", "[x] cheese");
    await expect.poll(() => readFileSync(join(at, "list.md"), "utf8")).toBe(wanted);
    // The keyboard stays on the box, which was drawn anew.
    await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe("milk");
    await code.locator(".code-keyword").getByText("const").waitFor();
    await walk.expectAccessible("tasks");
    // Whoever may only look ticks nothing.
    const reading = await walk.enter("/?path=tasks&file=list.md", READER);
    await reading.getByRole("checkbox", { name: "bread" }).waitFor();
    expect(await reading.getByRole("checkbox", { name: "bread" }).isDisabled()).toBe(true);
  });

  it("fetches no picture of a kind that the browser does not show", async () => {
    const at = join(walk.larder.root, "phone");
    mkdirSync(at, { recursive: true });
    writeFileSync(join(at, "IMG_1.HEIC"), Buffer.alloc(3_000_000, 7));
    writeFileSync(join(at, "IMG_2.svg"), SVG);
    const page = await walk.enter("/?path=phone");
    const fetched: string[] = [];
    page.on("request", (request) => {
      if (request.method() === "GET" && request.url().includes("/api/download")) fetched.push(request.url());
    });
    await page.getByRole("button", { name: "Show as a grid" }).click();
    await expect.poll(() => fetched.filter((one) => one.includes("IMG_2.svg"))).toHaveLength(1);
    await walk.entry("IMG_1.HEIC").dblclick();
    await page.getByText("Your browser does not show pictures of this kind.").waitFor();
    expect(fetched.filter((one) => one.includes("IMG_1.HEIC"))).toEqual([]);
    await page.keyboard.press("ArrowRight");
    await page.getByRole("img", { name: "IMG_2.svg" }).waitFor();
  });

  it("follows what Markdown links to: its headings, and the files beside it", async () => {
    fill("linked");
    writeFileSync(
      join(walk.larder.root, "linked", "start.md"),
      `[to the end](#the-end) [a%20b](<../linked/a b.md>) [out](https://example.invalid/)\n\n${"line\n\n".repeat(80)}# The end\n\n| a | b |\n| --- | ---: |\n| 1 | 2 |\n`,
    );
    writeFileSync(join(walk.larder.root, "linked", "a b.md"), "# Beside");
    const page = await walk.enter("/?path=linked&file=start.md");
    const heading = page.getByRole("heading", { name: "The end" });
    const address = page.url();
    await page.getByRole("link", { name: "to the end" }).click();
    await expect.poll(() => heading.evaluate((one) => one === document.activeElement)).toBe(true);
    expect(await heading.evaluate((one) => one.getBoundingClientRect().top < innerHeight)).toBe(true);
    expect(page.url()).toBe(address);
    // A column is where its author put it.
    expect(await page.getByRole("cell", { name: "2" }).evaluate((one) => getComputedStyle(one).textAlign)).toContain("right");
    expect(await page.getByRole("link", { name: "out" }).getAttribute("href")).toBe("https://example.invalid/");
    const [beside] = await Promise.all([
      walk.context.waitForEvent("page"),
      page.getByRole("link", { name: "a%20b" }).click(),
    ]);
    await beside.getByRole("heading", { name: "Beside" }).waitFor();
    await walk.expectAccessible("linked Markdown");
  });

  it("has a page of its own for each kind, and details where there is nothing to show", async () => {
    fill("shown");
    const page = await walk.enter("/preview?path=shown/a.wav");
    await page.locator("audio").waitFor();
    await page.waitForFunction(() => (document.querySelector("audio")?.duration ?? 0) > 0);
    await walk.expectAccessible("sound");
    const open = (name: string) => page.goto(`${walk.larder.url}/preview?path=shown/${name}`);

    await open("a.svg");
    await page.getByRole("img", { name: "a.svg" }).waitFor();
    await page.getByRole("link", { name: "Next" }).click();
    await page.waitForURL("**/preview?path=shown/b.svg");

    await open("a.html");
    await page.getByText("document.title = 'run'").first().waitFor();
    expect(await page.title()).toContain("a.html");
    await walk.expectAccessible("text");

    await open("a.pdf");
    const canShow = await page.evaluate(() => navigator.pdfViewerEnabled);
    await page.locator(canShow ? "iframe" : "main h2").waitFor();
    await open("a.zip");
    await page.getByText("There is no preview for this file.").waitFor();
    await walk.expectAccessible("no preview");
    await open("long.txt");
    await page.getByText("This text is too long").waitFor();
    await open("z broken.mp4");
    await page.getByText("Your browser does not play this film.").waitFor();
    await open("none.txt");
    await page.getByText("This file does not exist").waitFor();
    await page.getByRole("link", { name: "Back to the folder" }).click();
    await walk.entry("a.svg").waitFor();
  });

  it("gives a file that is opened inline no way to the API", async () => {
    const script = "fetch('/api/user/get_self').then(a => a.text(), () => 'failed').then(t => document.title = t)";
    const at = join(walk.larder.root, "hostile");
    mkdirSync(at);
    writeFileSync(join(at, "a.html"), `<title>quiet</title><script>${script}</script>`);
    writeFileSync(join(at, "a.svg"), `<svg xmlns="http://www.w3.org/2000/svg"><title>quiet</title><script>${script}</script></svg>`);
    const page = await walk.enter();
    // The cookie by which the browser may download is there, and would go along.
    expect((await walk.context.cookies()).length).toBeGreaterThan(0);
    // The pages' own questions are not what is counted.
    await page.goto("about:blank");
    const asked: string[] = [];
    page.on("request", (one) => asked.push(new URL(one.url()).pathname));
    for (const name of ["a.html", "a.svg"]) {
      const answer = await page.goto(`${walk.larder.url}/api/download?file_path=hostile/${name}&inline=1`);
      expect(answer?.status()).toBe(200);
      // Its script did not run; and one that did would be a stranger here, whatever goes along.
      expect(await page.title()).not.toContain("admin");
      expect(await page.evaluate(() => self.origin)).toBe("null");
      const heard = await page.evaluate(() =>
        // eslint-disable-next-line no-restricted-globals -- plays the hostile page
        fetch("/api/user/get_self", { credentials: "include" }).then((one) => one.text(), () => "nothing"),
      );
      expect(heard).toBe("nothing");
    }
    expect(asked.filter((path) => path !== "/api/download" && path !== "/favicon.ico")).toEqual([]);
    // The policy stopped the script, and says so.
    walk.complaints.splice(0);
  });
});
