/**
 * The Chromium from npm, for machines without one.
 *
 * `@sparticuz/chromium`, whose SwiftShader src/node/softwareAdapter.ts uses, is a headless Chromium for Linux on x64,
 * with the libraries and fonts that bare systems lack. It has WebGPU on its own SwiftShader, in pages, workers and
 * canvases, so it runs the tests of pages. It is unpacked once a user and version, 200 MB, beside the SwiftShader. The
 * package's own `executablePath()` is not used: it takes whatever lies at /tmp/chromium.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { findSwiftShader, unpackSwiftShader } from '../src/node/softwareAdapter.ts';

/** Libraries and fonts are the package's where the system has none. `exec`: ending the script ends Chromium. */
const START = `#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
"$here/chrome" --version >/dev/null 2>&1 || export LD_LIBRARY_PATH="$here/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
[ -e /etc/fonts/fonts.conf ] || export FONTCONFIG_FILE="$here/fonts.conf"
exec "$here/chrome" "$@"
`;

/** Replaces the package's own file, which names folders of the service that the package is made for. */
const fontsConf = (folder: string): string => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${folder}/fonts</dir><cachedir prefix="xdg">fontconfig</cachedir></fontconfig>
`;

/** Archives of the package: Chromium's libraries, a folder `fonts`, and one `lib` with what a bare system lacks. */
const ARCHIVES = ['swiftshader.tar.br', 'fonts.tar.br', 'al2023.tar.br'];

/**
 * Path of npm's Chromium, unpacked where it is not yet; undefined where the package is not installed or not for this
 * machine. Safe to run from several processes at once: the folder is filled under another name and renamed.
 * @throws Error when the package is damaged or nothing can be written.
 */
export function npmChromiumPath(): string | undefined {
  const found = findSwiftShader();
  if (!found) return undefined;
  const from = dirname(found.archive);
  if (!existsSync(join(from, 'chromium.br'))) return undefined;
  const cache = dirname(unpackSwiftShader(found));
  const folder = join(cache, `chromium-${found.version}`);
  const program = join(folder, 'chromium');
  if (existsSync(program)) return program;
  const partial = mkdtempSync(join(cache, '.chromium-'));
  try {
    const unpacked = (name: string): Buffer => brotliDecompressSync(readFileSync(join(from, name)));
    writeFileSync(join(partial, 'chrome'), unpacked('chromium.br'), { mode: 0o755 });
    for (const name of ARCHIVES)
      execFileSync('tar', ['-x', '--no-same-owner', '-f', '-', '-C', partial], {
        input: unpacked(name),
        maxBuffer: 2 ** 30,
      });
    writeFileSync(join(partial, 'fonts.conf'), fontsConf(folder));
    writeFileSync(join(partial, 'chromium'), START, { mode: 0o755 });
    renameSync(partial, folder);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(program)) throw error; // else another process was first
  }
  return program;
}
