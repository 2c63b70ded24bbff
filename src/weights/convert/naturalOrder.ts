/** Names in the order that a person gives them: `conv2d_2` before `conv2d_10`, and `conv2d` before both. */
export function naturalOrder(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split(/(\d+)/));
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] === right[i]) continue;
    // Every second part is a number.
    if (i % 2 === 1) return Number(left[i]) - Number(right[i]) || (left[i] < right[i] ? -1 : 1);
    // `conv2d/kernel` comes before `conv2d_1/kernel`.
    const [mine, its] = [left[i], right[i]].map((part) => part.replaceAll('/', '\0'));
    return mine < its ? -1 : 1;
  }
  return left.length - right.length;
}
