import { words } from './index.ts';

/** The time left, in words. */
export function timeLeft(seconds: number): string {
  const { progress } = words;
  if (seconds < 1) return progress.nearlyDone;
  if (seconds < 60) return progress.seconds(Math.ceil(seconds));
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? progress.minutes(minutes) : progress.hours(Math.floor(minutes / 60), minutes % 60);
}
