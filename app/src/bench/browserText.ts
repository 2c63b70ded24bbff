/** Which browser and which adapter, in words. */
import { shown } from '../../../src/shown.ts';
import type { Report } from '../../../bench/report.ts';

/** What only Chromium's navigators tell. */
interface Told {
  userAgent: string;
  userAgentData?: { brands: { brand: string; version: string }[]; platform: string };
}

/** User agents by their marks, those that others name too last. */
const BROWSERS: readonly [mark: RegExp, name: string][] = [
  [/\bFirefox\/(\d+)/, 'Firefox'],
  [/\bEdg\/(\d+)/, 'Edge'],
  [/\b(?:Headless)?Chrom(?:e|ium)\/(\d+)/, 'Chromium'],
  [/\bVersion\/(\d+\.\d+).*\bSafari\//, 'Safari'],
];

const SYSTEMS: readonly [mark: RegExp, name: string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X|Macintosh/, 'macOS'],
  [/CrOS/, 'ChromeOS'],
  [/Linux/, 'Linux'],
];

/** `Chrome 156 on Linux`; without what names the machine. */
export function browserText({ userAgent, userAgentData }: Told): string {
  const brands = userAgentData?.brands.filter(({ brand }) => !/not.?a.?brand/i.test(brand.replace(/\W/g, ' '))) ?? [];
  // Chromium comes beside the name of what is built on it.
  const brand = brands.find((known) => known.brand !== 'Chromium') ?? brands[0];
  const found = BROWSERS.flatMap(([mark, name]) => {
    const version = mark.exec(userAgent)?.[1];
    return version ? [`${name} ${version}`] : [];
  });
  const browser = brand ? `${brand.brand} ${brand.version}` : (found[0] ?? 'an unknown browser');
  const system = userAgentData?.platform || SYSTEMS.find(([mark]) => mark.test(userAgent))?.[1];
  return system ? `${browser} on ${system}` : browser;
}

/** The adapter's name, as far as the browser tells it. */
export function adapterText({
  vendor = '',
  architecture = '',
  device = '',
  description = '',
}: Partial<GPUAdapterInfo> = {}): Pick<Report['adapter'], 'name' | 'vendor' | 'architecture'> {
  const name = shown(
    description || device || [vendor, architecture].filter(Boolean).join(' ') || 'A GPU without a name',
  );
  return { name, vendor, architecture };
}
