/** What a result is named after its first picture, without what file systems do not allow in names. */
export function mergedName(picture: string): string {
  const stem = picture
    .replace(/\.[^.]*$/, '')
    .replace(/[\\/:*?"<>|]/g, '_')
    .replace(/^\.+/, '_');
  return `${stem || 'deghost'}-merged`;
}
