/**
 * Why a default may run with fewer warps or threads than `Vendor.leastOccupancy`: by vendor, then by class and
 * implementation, `conv2d 3x3 32>32: direct 2x2x16`. A default without a reason fails `npm run isa -- --check`.
 */
export const REASONS: Record<string, Record<string, string>> = {};
