/** Code that nothing needs before something is merged: chunks of their own, which are fetched behind the weights. */

export const loadFinisher = async () => (await import('../../../src/finish/finisher.ts')).Finisher;
export const loadSave = async () => (await import('./save.ts')).saveFile;
export const loadChanges = async () => (await import('./changes.ts')).Changes;

/** Fetches all of it. */
export async function preloadLater(): Promise<void> {
  await Promise.all([loadFinisher(), loadSave(), loadChanges()]);
}
