/** What the readers of PyTorch, NPZ and Keras files need of a zip file. */
export interface Zip {
  /** The files' names in the order of the zip's directory, each once. */
  names: readonly string[];
  /** Unpacks a file, of `names`. @throws InputError if it is damaged, or larger than it says. */
  read(entry: string): Promise<Uint8Array>;
}
