/** The goldens that must come out right before anything is timed: PyTorch's results for small networks. */
export const GOLDENS = ['fixed-wide', 'any-5'];
