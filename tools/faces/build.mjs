// Draws faces, all different, for measuring the training of generators in colour:
//
//   npm ci && node build.mjs FOLDER [COUNT] [SIDE]
//
// Style: "Personas" by Draftbit, CC BY 4.0, through DiceBear (MIT). Face k is a function of k alone.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAvatar } from "@dicebear/core";
import * as personas from "@dicebear/personas";
import { Resvg } from "@resvg/resvg-js";

const [folder, count = "7000", side = "64"] = process.argv.slice(2);
if (!folder) {
  console.error("usage: node build.mjs FOLDER [COUNT] [SIDE]");
  process.exit(2);
}
const backgrounds = ["b6e3f4", "c0aede", "ffd5dc", "ffdfbf", "d7f0c8"];
mkdirSync(folder, { recursive: true });
for (let k = 0; k < Number(count); k++) {
  const face = createAvatar(personas, { seed: String(k), size: Number(side), backgroundColor: backgrounds });
  const picture = new Resvg(face.toString(), { fitTo: { mode: "width", value: Number(side) } }).render();
  writeFileSync(join(folder, `${String(k).padStart(5, "0")}.png`), picture.asPng());
}
