/** Most bytes that deflate can pack into one (https://zlib.net/zlib_tech.html). A file that says more is not believed. */
export const MOST_DEFLATED = 1032;
