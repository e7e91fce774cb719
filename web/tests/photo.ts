// A picture as a camera makes it, from the browser's own JPEG encoder: hills under a sky, each in another colour.
import type { Page } from "playwright-core";

export async function photo(page: Page, width: number, height: number, hue: number): Promise<Buffer> {
  const text = await page.evaluate(
    async ([wide, high, colour]) => {
      const canvas = new OffscreenCanvas(wide, high);
      const pen = canvas.getContext("2d");
      if (!pen) throw new Error("no canvas");
      const sky = pen.createLinearGradient(0, 0, 0, high);
      sky.addColorStop(0, `hsl(${colour} 60% 30%)`);
      sky.addColorStop(1, `hsl(${colour + 50} 80% 80%)`);
      pen.fillStyle = sky;
      pen.fillRect(0, 0, wide, high);
      for (let hill = 0; hill < 5; hill += 1) {
        pen.fillStyle = `hsl(${colour + 90} 30% ${55 - hill * 9}%)`;
        pen.beginPath();
        pen.moveTo(0, high);
        for (let x = 0; x <= wide; x += 8) pen.lineTo(x, high * (0.5 + hill * 0.1) + Math.sin(x / 300 + hill * 2) * 80);
        pen.lineTo(wide, high);
        pen.fill();
      }
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
      return await new Promise<string>((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(String(reader.result).replace(/^.*,/, ""));
        reader.readAsDataURL(blob);
      });
    },
    [width, height, hue] as const,
  );
  return Buffer.from(text, "base64");
}
