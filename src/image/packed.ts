/** Most bytes that deflate can pack into one (https://zlib.net/zlib_tech.html): a file that says more is lying. */
export const MOST_DEFLATED = 1032;
