/** Where a run of the tests keeps its temporary files. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** In Vitest's own process; its workers know the folder as `tmpdir()`. */
export const TEMPORARY = join(tmpdir(), `deghost-tests-${process.pid}`);
