/**
 * Makes the installed page's icons, app/public/icons, from app/icon.svg: `npx tsx scripts/pageIcons.ts`. `maskable` has
 * room around it, because systems cut such icons to circles and other shapes.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

const app = fileURLToPath(new URL('../app/', import.meta.url));
/** The landing's background in the light. */
const PAPER = '#f7f5f1';
/** Of the icon's side; what is within 80 % of the middle is always seen. */
const MASKABLE_SHARE = 0.58;

const svg = readFileSync(`${app}icon.svg`);

/** The icon alone, on nothing. */
const drawn = (side: number): Promise<Buffer> =>
  sharp(svg, { density: (72 * side) / 32 })
    .resize(side, side)
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();

for (const side of [192, 512]) writeFileSync(`${app}public/icons/${side}.png`, await drawn(side));
const background = { create: { width: 512, height: 512, channels: 3 as const, background: PAPER } };
await sharp(background)
  .composite([{ input: await drawn(Math.round(512 * MASKABLE_SHARE)) }])
  .png({ compressionLevel: 9, palette: true })
  .toFile(`${app}public/icons/maskable.png`);
